"""Checks that what the documents point at is there: each relative link of a Markdown file, and each room of the table of
arrows that is built has a README, and C++ that a document shows is a part of an example, which the tests build.

    check_docs.py      (from the repository's root)

One line 'FILE:LINE: what' for each finding; the exit code is 1 if there are any.
"""

import os
import pathlib
import re
import sys

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def documents():
    for folder, folders, files in os.walk("."):
        folders[:] = [name for name in folders if not name.startswith((".git", "bazel-", "node_modules"))]
        yield from (pathlib.Path(folder) / name for name in files if name.endswith(".md"))


def findings():
    examples = {line for path in pathlib.Path("examples").glob("*.cc") for line in path.read_text().splitlines()}
    for document in sorted(documents()):
        fenced = cplusplus = False
        for number, line in enumerate(document.read_text(encoding="utf-8").splitlines(), 1):
            if line.startswith("```"):
                fenced = not fenced
                cplusplus = line == "```c++"
            elif cplusplus and line not in examples:
                yield "%s:%d: no example has the line %s" % (document, number, line.strip())
            if fenced or line.startswith("    "):
                continue
            for target in LINK.findall(re.sub(r"`[^`]*`", "", line)):
                path = target.split("#")[0]
                if path and not re.match(r"^[a-z]+:", path) and not (document.parent / path).exists():
                    yield "%s:%d: nothing is at %s" % (document, number, target)
    for build_file in sorted(pathlib.Path("flowacct").glob("**/BUILD.bazel")):
        folder = build_file.parent
        if folder.name in ("flowacct", "testing"):
            continue
        if not any(folder.glob("README*.md")):
            yield "%s:1: the room has no README.md" % build_file


def main():
    found = list(findings())
    print("\n".join(found))
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
