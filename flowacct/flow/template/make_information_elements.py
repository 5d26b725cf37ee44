"""Makes the C++ table of information elements from elements.tsv: make_information_elements.py IN.tsv OUT.inc"""

import sys

TYPES = """octetArray unsigned8 unsigned16 unsigned32 unsigned64 signed8 signed16 signed32 signed64 float32 float64
boolean macAddress string dateTimeSeconds dateTimeMilliseconds dateTimeMicroseconds dateTimeNanoseconds ipv4Address
ipv6Address basicList subTemplateList subTemplateMultiList unsigned256""".split()
SEMANTICS = "default quantity totalCounter deltaCounter identifier flags list snmpCounter snmpGauge".split()
COLUMNS = ["pen", "id", "name", "type", "semantics", "unit", "status", "field", "rank"]


def enumerator(word):
    return "k" + word[0].upper() + word[1:]


def field_id(name):
    if not name:
        return "std::nullopt"
    return "FieldId::k" + "".join(part[0].upper() + part[1:] for part in name.split("_"))


def read(path):
    rows = []
    with open(path, encoding="ascii") as lines:
        for number, line in enumerate(lines, 1):
            line = line.rstrip("\n")
            if not line or line.startswith("#"):
                continue
            cells = line.split("\t")
            if cells[0] == "pen":
                if cells != COLUMNS:
                    sys.exit("%s:%d: columns are not %s" % (path, number, " ".join(COLUMNS)))
                continue
            if len(cells) != len(COLUMNS):
                sys.exit("%s:%d: %d columns, not %d" % (path, number, len(cells), len(COLUMNS)))
            row = dict(zip(COLUMNS, cells))
            row["pen"], row["id"] = int(row["pen"]), int(row["id"])
            row["semantics"] = row["semantics"] or "default"
            row["rank"] = int(row["rank"] or 1)
            for column, words in (
                ("type", TYPES),
                ("semantics", SEMANTICS),
                ("status", ["current", "deprecated"]),
            ):
                if row[column] not in words:
                    sys.exit("%s:%d: %s '%s' is none of %s" % (path, number, column, row[column], ", ".join(words)))
            rows.append(row)
    rows.sort(key=lambda r: (r["pen"], r["id"]))
    for a, b in zip(rows, rows[1:]):
        if (a["pen"], a["id"]) == (b["pen"], b["id"]):
            sys.exit("%s: element %d:%d twice" % (path, a["pen"], a["id"]))
    return rows


def numbers(name, values):
    lines = ["constexpr uint16_t %s[] = {" % name]
    for i in range(0, len(values), 20):
        lines.append("    " + " ".join("%d," % v for v in values[i : i + 20]))
    return lines + ["};"]


def main():
    rows = read(sys.argv[1])
    out = ["constexpr InformationElement kElements[] = {"]
    for r in rows:
        out.append(
            '    ROW(%du, %d, "%s", %s, %s, "%s", %s, %s, %d),'
            % (
                r["pen"],
                r["id"],
                r["name"],
                enumerator(r["type"]),
                enumerator(r["semantics"]),
                r["unit"],
                "true" if r["status"] == "deprecated" else "false",
                field_id(r["field"]),
                r["rank"],
            )
        )
    out.append("};")
    iana = {r["id"]: place + 1 for place, r in enumerate(rows) if r["pen"] == 0}
    out += numbers("kIanaIndex", [iana.get(i, 0) for i in range(max(iana) + 1)])
    by_name = sorted(range(len(rows)), key=lambda i: (rows[i]["name"].lower(), i))
    out += numbers("kNameOrder", by_name)
    with open(sys.argv[2], "w", encoding="ascii") as inc:
        inc.write("\n".join(out) + "\n")


if __name__ == "__main__":
    main()
