#!/usr/bin/env python3
"""Which sources can be read as one: compilers and clang-tidy spend most of their time on headers.

Usage: tests/tidy/grouping.py FILE...    prints a line `GROUP FILE` for each
"""
import re
import sys

# Enough for the headers to weigh little; more would leave a core idle at the end.
MOST = 10

_UNNAMED = re.compile(r"^namespace \{$(.*?)^\}  // namespace$", re.M | re.S)
_NAMED_TYPE = r"(?:struct|class|enum class|enum|using)\s+(\w+)"
# An alias of a namespace may be told again; a macro like TEST_CASE("…") has no type before it.
_NAMED_VALUE = r"(?!namespace )\w[^(={;\n]*?[ *&](\w+)\s*[(={\[;]"
_DECLARED = re.compile(rf"^(?:template.*>\s*)?(?:{_NAMED_TYPE}|{_NAMED_VALUE})", re.M)


def own_names(text):
    """The names that a file keeps to itself. One overlooked costs time: its group does not compile."""
    names = set(re.findall(r"^#define (\w+)", text, re.M))
    for body in _UNNAMED.findall(text):
        names.update(first or second for first, second in _DECLARED.findall(body))
    return names


def group(texts):
    """Lists of the paths of `texts`, path to text, of which no two in a list share a name."""
    groups = []
    for path in sorted(texts):
        names = own_names(texts[path])
        for paths, taken in groups:
            if len(paths) < MOST and not names & taken:
                paths.append(path)
                taken |= names
                break
        else:
            groups.append(([path], names))
    return [paths for paths, _ in groups]


def main():
    texts = {}
    for path in sys.argv[1:]:
        with open(path, encoding="utf-8") as file:
            texts[path] = file.read()
    for number, paths in enumerate(group(texts)):
        for path in paths:
            print(number, path)


if __name__ == "__main__":
    main()
