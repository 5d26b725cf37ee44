"""Looks in BUILD files for what buildifier would change most often, where there is no buildifier.

    check_build_files.py FILE...

Found: tabs, single quotes, blanks at the end of a line, no newline or an empty line at the end of the file, lists of
srcs, hdrs, deps and the like that are not sorted, elements of a list of several lines without a comma, and an indent
that is not a multiple of four, a rule right behind another. One line 'FILE:LINE: what' for each; the exit code is 1 if there are any.
"""

import re
import sys

SORTED = re.compile(r"^\s*(srcs|hdrs|textual_hdrs|deps|data|packages|visibility|tags) = \[$")


def sort_key(element):
    """buildifier's order: ':local', then '//packages', then '@repositories', by their parts."""
    phase = 1 if element.startswith(":") else 2 if element.startswith("//") else 3 if element.startswith("@") else 0
    return phase, [part.split(":") for part in element.replace(":", "/:").split("/")]


def findings(text):
    """Yields (line number, what)."""
    if text and not text.endswith("\n") or text.endswith("\n\n"):
        yield text.count("\n"), "the file does not end in one newline"
    elements = None
    previous = ""
    for number, line in enumerate(text.splitlines(), 1):
        code = re.sub(r"#.*", "", line)
        if "\t" in line:
            yield number, "a tab"
        if line != line.rstrip():
            yield number, "blanks at the end of the line"
        if re.search(r"(?<![\"\w])'[^']*'(?![\"\w])", code) and '"' not in code:
            yield number, "single quotes"
        if (len(line) - len(line.lstrip(" "))) % 4 and line.strip():
            yield number, "an indent that is not a multiple of four"
        if previous == ")" and line:
            yield number, "no empty line after the rule before"
        previous = line
        if SORTED.match(line):
            elements = []
        elif elements is not None:
            element = re.match(r'^\s*"([^"]*)"(,?)\s*$', code.rstrip())
            if element:
                if not element.group(2):
                    yield number, "no comma after the element"
                if elements and sort_key(element.group(1)) < sort_key(elements[-1]):
                    yield number, '"%s" is not in order' % element.group(1)
                elements.append(element.group(1))
            else:
                elements = [] if not code.strip() else None  # A comment or an empty line begins a new order.


def main():
    failed = False
    for path in sys.argv[1:]:
        with open(path, encoding="utf-8") as file:
            for number, what in findings(file.read()):
                print("%s:%d: %s" % (path, number, what))
                failed = True
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
