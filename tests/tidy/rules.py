"""The rules of the house, each a function from a Tree to the findings that break it."""
import os
import re
import subprocess
from dataclasses import dataclass, field

import source
import table

CODE = (".h", ".hpp", ".c", ".cpp")
TEXT = CODE + (".py", ".sh", ".cmake", ".md", ".txt", ".html", ".js", "run")


@dataclass
class Tree:
    """The files to judge: path from the root → text. `libs` is a build folder, for the symbols."""
    files: dict
    libs: str = ""
    symbols: dict = field(default_factory=dict)  # room → (defined, undefined), read from libs

    def matching(self, suffixes, under=""):
        return {p: t for p, t in self.files.items()
                if p.endswith(tuple(suffixes)) and p.startswith(under)}


def room_of(path):
    """The room a file is in: the longest one in the table that holds it, or none."""
    rooms = [room for room in table.LAYERS if path.startswith(room + "/")]
    return max(rooms, key=len, default=None)


def layers(tree):
    """includes point down only"""
    for path, text in tree.matching(CODE).items():
        room = room_of(path)
        for line, target in source.includes(text):
            below = room_of(target.strip('"')) if target.startswith('"') else None
            if room and target.startswith('"'):
                if below is None:
                    yield f"{path}:{line}: {target} names no room; include from the project root"
                elif below != room and below not in table.LAYERS[room]:
                    yield f"{path}:{line}: {room} may not include {below}"


def _reached(tree, path, seen):
    """(file, line, room's file) of what the file includes, and what demo's headers in it include."""
    seen.add(path)
    for line, target in source.includes(tree.files.get(path, "")):
        name = target.strip('"<>')
        if name.startswith("demo/"):
            if name not in seen:
                yield from _reached(tree, name, seen)
        elif room_of(name):
            yield path, line, name


def play_embeds(tree):
    """play is an embedder: it stands on the C API alone"""
    seen = set()
    for path in tree.matching(CODE, under="demo/"):
        if re.fullmatch(table.PLAY, path) and path not in seen:
            for where, line, name in _reached(tree, path, seen):
                if name not in table.PLAY_MAY_INCLUDE:
                    yield f"{where}:{line}: play may not know {name}; use <tributary/tributary.hpp>"


def links(tree):
    """a room links only the rooms it may include"""
    names = {}
    for path, text in tree.files.items():
        match = re.search(r"^tributary_room\((\w+)(?:\s+DEPENDS\s+([^)]*))?\)", text, re.MULTILINE)
        if path.endswith("/CMakeLists.txt") and match:
            names["tributary_" + match.group(1)] = (os.path.dirname(path), match.group(2) or "")
    for _, (room, depends) in names.items():
        for target in depends.split():
            below = names.get(target, (None,))[0]
            if below and below not in table.LAYERS.get(room, []):
                yield f"{room}/CMakeLists.txt: {room} may not link {target}"


def libraries(tree):
    """each outside library stays in its rooms"""
    for path, text in tree.matching(CODE).items():
        for line, target in source.includes(text):
            for library, (pattern, rooms) in table.CONTAINED.items():
                if room_of(path) and room_of(path) not in rooms and re.match(pattern, target[1:]):
                    yield f"{path}:{line}: {library} belongs to {', '.join(rooms)}"


def _pure_files(tree):
    return {p: t for p, t in tree.matching(CODE).items() if room_of(p) in table.PURE}


def pure_includes(tree):
    """pure rooms include no threads, clocks, files or sockets"""
    for path, text in _pure_files(tree).items():
        for line, target in source.includes(text):
            if any(re.match(pattern, target) for pattern in table.BANNED_INCLUDES):
                yield f"{path}:{line}: {target} in a pure room"


def pure_words(tree):
    """pure rooms call no clock, outside randomness or shared state"""
    for path, text in _pure_files(tree).items():
        for reason, pattern in table.BANNED_WORDS.items():
            for line, word in source.find_words(text, pattern):
                yield f"{path}:{line}: {word}: {reason}, in a pure room"


def read_symbols(library):
    """(defined, undefined) symbols of a static library, demangled."""
    # Versions vary in what they print for members without symbols; only the letter column counts.
    output = subprocess.run(["nm", "-C", library], capture_output=True, text=True,
                            check=True).stdout
    defined, undefined = set(), set()
    for line in output.splitlines():
        match = re.match(r"^[0-9a-f ]{16} ([A-Za-z]) (.+)$", line)
        if match:
            (undefined if match.group(1) in "Uvw" else defined).add(match.group(2))
    return defined, undefined - defined


def load_symbols(tree):
    """Fills tree.symbols from the static libraries found under tree.libs."""
    for room, name in table.PURE.items():
        library = os.path.join(tree.libs, room, f"libtributary_{name}.a")
        if os.path.exists(library):
            tree.symbols[room] = read_symbols(library)


def pure_symbols(tree):
    """pure libraries link nothing but the C++ runtime"""
    allowed = re.compile("|".join(f"(?:{p})" for p in table.RUNTIME_SYMBOLS))
    for room, (_, undefined) in tree.symbols.items():
        below = [tree.symbols[r][0] for r in table.LAYERS[room] if r in tree.symbols]
        for symbol in sorted(undefined - set().union(*below)):
            name = re.sub(r"@.*$", "", symbol)
            if not allowed.fullmatch(name) and not name.startswith("operator "):
                yield f"{room}: undefined symbol {symbol}"


def file_length(tree):
    """no file is too long"""
    for path, text in tree.matching(TEXT).items():
        lines = text.count("\n")
        if lines > table.MAX_FILE_LINES and not path.endswith(".md"):
            yield f"{path}: {lines} lines; the limit is {table.MAX_FILE_LINES}"


def long_files(tree):
    """Warnings only: files that want a reason."""
    for path, text in tree.matching(CODE + (".py",)).items():
        if text.count("\n") > table.WARN_FILE_LINES and path not in table.LONG_FILES:
            yield f"{path}: {text.count(chr(10))} lines; split it, or give a reason in table.py"


def function_length(tree):
    """no function is longer than a screen"""
    for path, text in tree.matching(CODE).items():
        for function in source.functions(text):
            if function.lines > table.MAX_FUNCTION_LINES:
                yield (f"{path}:{function.first_line}: {function.name} has {function.lines} lines;"
                       f" the limit is {table.MAX_FUNCTION_LINES}")


def header_purpose(tree):
    """every header opens with its purpose and is included once"""
    for path, text in tree.matching([".h", ".hpp"]).items():
        opening = re.match(r"(?://[^\n]*\n|/\*.*?\*/\n?)+", text, re.DOTALL)
        words = re.findall(r"\w+", opening.group(0)) if opening else []
        if len(words) < 4:
            yield f"{path}:1: no comment that says what the header is for"
        # A header of the installed API keeps to what every compiler of C knows.
        once = r"^#ifndef (\w+)\n#define \1$" if "/include/" in path else r"^#pragma once$"
        if not re.search(once, text, re.MULTILINE):
            yield f"{path}:1: nothing that has it included once"


def private_paths(tree):
    """nothing names a path of one machine"""
    for path, text in tree.files.items():
        for number, line in enumerate(text.splitlines(), 1):
            if not path.startswith("tests/tidy/") and re.search(table.PRIVATE_PATHS, line):
                yield f"{path}:{number}: {line.strip()[:80]}"


def unfinished(tree):
    """no unfinished work is left in the sources"""
    for path, text in tree.matching(TEXT).items():
        for number, line in enumerate(text.splitlines(), 1):
            if not path.startswith("tests/tidy/") and re.search(table.UNFINISHED, line):
                yield f"{path}:{number}: {line.strip()[:80]}"


def root_entries(tree):
    """the root holds the rooms and nothing else"""
    for entry in sorted({path.split("/")[0] for path in tree.files}):
        if entry not in table.ROOT_ENTRIES and not entry.startswith("."):
            yield f"{entry}: does not belong at the root"


def sleeps(tree):
    """tests never sleep"""
    for path, text in tree.matching(CODE, under="tests/").items():
        if path.startswith("tests/bench/"):  # a benchmark may look at the clock
            continue
        for line, word in source.find_words(text, table.SLEEPS):
            yield f"{path}:{line}: {word}"


def test_names(tree):
    """tests are named as sentences, each name once in its file"""
    for path, text in tree.matching(["_test.cpp"]).items():
        seen = set()
        for match in re.finditer(r'TEST_CASE\(\s*"((?:[^"\\]|\\.)*)"', text):
            name, line = match.group(1), text.count("\n", 0, match.start()) + 1
            if len(name.split()) < 3:
                yield f'{path}:{line}: "{name}" is no sentence'
            if name in seen:
                yield f'{path}:{line}: "{name}" stands there twice'
            seen.add(name)


DECODER = r"(?:(?:decode|parse)_\w+|\w+(?:Decoder|Scanner))\b"


def fuzzed(tree):
    """each decoder of engine/wire is called by a fuzz target, or by a decoder that is"""
    def called_in(text):  # a definition begins its line, a call is indented
        return set(re.findall(rf"^[ \t].*?\b({DECODER})", source.strip_comments(text), re.M))
    called = set().union(*map(called_in, tree.matching([".cpp"], under="tests/fuzz/").values()))
    waiting = dict(tree.matching([".cpp"], under="engine/wire/"))
    while reached := [path for path, text in waiting.items()
                      if re.search(rf"^\w.*\b({'|'.join(called)})(\(|::)", text, re.M)]:
        called = called.union(*(called_in(waiting.pop(path)) for path in reached))
    for path, text in tree.matching([".h"], under="engine/wire/").items():
        declared = re.findall(rf"\b({DECODER})", source.strip_comments(text))
        for name in sorted(set(declared) - called):
            yield f"{path}: no fuzz target calls {name}"


RULES = [layers, play_embeds, links, libraries, pure_includes, pure_words, pure_symbols, file_length,
         function_length, header_purpose, private_paths, unfinished, root_entries, sleeps,
         test_names, fuzzed]
