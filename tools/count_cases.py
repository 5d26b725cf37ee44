"""Counts test cases: of Bazel's runs (their build event files and the test.xml these name), and of the checks.

    count_cases.py FOLDER

reads in FOLDER, as tools/test leaves it: NAME.json (--build_event_json_file) and NAME.status (Bazel's exit code) of each
build NAME, and checks.tsv (passed|failed, name). Prints what failed and what was skipped, and as the last
line 'N passed, N failed'. A case of several builds counts once: failed if it failed in one, skipped if in all.
"""

import collections
import json
import pathlib
import sys
import urllib.parse
import xml.etree.ElementTree

PASSED, SKIPPED, FAILED = "passed", "skipped", "failed"


def cases_of_xml(path):
    """Yields (name, outcome, reason) of each test case in a test.xml of GoogleTest or of Bazel itself."""
    for case in xml.etree.ElementTree.parse(path).iter("testcase"):
        name = ".".join(part for part in (case.get("classname"), case.get("name")) if part)
        if case.find("failure") is not None or case.find("error") is not None:
            yield name, FAILED, ""
            continue
        skipped = case.find("skipped")
        if skipped is not None or case.get("result") == "skipped":
            text = "" if skipped is None else skipped.get("message") or skipped.text or ""
            # GoogleTest puts 'file:line' in a line before the text.
            lines = [line.strip() for line in text.splitlines() if line.strip()]
            yield name, SKIPPED, lines[-1] if lines else ""
        elif case.get("status") != "notrun":  # DISABLED_
            yield name, PASSED, ""


def cases_of_target(label, result):
    """Yields (name, outcome, reason) of one testResult event; at least one, and a failed one if the target failed."""
    failed = result.get("status") not in ("PASSED", "FLAKY")
    cases = []
    for output in result.get("testActionOutput", []):
        path = urllib.parse.unquote(urllib.parse.urlparse(output.get("uri", "")).path)
        if output.get("name") == "test.xml" and pathlib.Path(path).is_file():
            try:
                cases = list(cases_of_xml(path))
            except xml.etree.ElementTree.ParseError:
                failed = True  # The test died while it wrote.
    if failed and not any(outcome == FAILED for _, outcome, _ in cases):
        cases.append(("(the test as a whole: %s)" % result.get("status"), FAILED, ""))
    yield from cases or [("(the test as a whole)", PASSED, "")]


def cases_of_build(folder, build):
    """Yields (label, name, outcome, reason) of one run of Bazel."""
    any_failed = False
    events = folder / (build + ".json")
    for line in events.read_text(encoding="utf-8").splitlines() if events.exists() else []:
        event = json.loads(line)
        identity = event.get("id", {})
        if "testResult" in event:
            label = identity["testResult"]["label"]
            for name, outcome, reason in cases_of_target(label, event["testResult"]):
                any_failed |= outcome == FAILED
                yield label, name, outcome, reason
        elif "targetCompleted" in identity and not event.get("completed", {}).get("success"):
            any_failed = True
            yield identity["targetCompleted"]["label"], "(does not build)", FAILED, ""
    status = int((folder / (build + ".status")).read_text())
    if status not in (0, 4) and not any_failed:
        yield "bazel", "(ended with exit code %d)" % status, FAILED, ""


def main():
    folder = pathlib.Path(sys.argv[1])
    cases = {}  # (label, name) -> (outcome, reason), the worst of all builds
    rank = {SKIPPED: 0, PASSED: 1, FAILED: 2}
    failed_in = collections.defaultdict(list)

    def add(key, outcome, reason, build):
        if key not in cases or rank[outcome] > rank[cases[key][0]]:
            cases[key] = (outcome, reason)
        if outcome == FAILED:
            failed_in[key].append(build)

    builds = sorted(path.stem for path in folder.glob("*.status"))
    for build in builds:
        counts = collections.Counter()
        for label, name, outcome, reason in cases_of_build(folder, build):
            counts[outcome] += 1
            add((label, name), outcome, reason, build)
        print("   %-5s %d passed, %d failed, %d skipped" % (build, counts[PASSED], counts[FAILED], counts[SKIPPED]))
    for line in (folder / "checks.tsv").read_text().splitlines():
        outcome, name = line.split("\t")
        add(("check", name), outcome, "", "checks")

    reasons = collections.Counter(reason for outcome, reason in cases.values() if outcome == SKIPPED)
    for reason, count in reasons.most_common():
        print("   skipped %d: %s" % (count, reason or "no reason given"))
    for (label, name), names in sorted(failed_in.items()):
        print("   FAILED %s %s (%s)" % (label, name, ", ".join(sorted(set(names)))))

    totals = collections.Counter(outcome for outcome, _ in cases.values())
    line = "%d passed, %d failed" % (totals[PASSED], totals[FAILED])
    if totals[SKIPPED]:
        line += ", %d skipped" % totals[SKIPPED]
    print(line)
    sys.exit(1 if totals[FAILED] or not totals[PASSED] else 0)


if __name__ == "__main__":
    main()
