"""Just enough of a C++ scanner for the style test: it knows comments, strings, braces, functions."""
import re
from dataclasses import dataclass

TOKEN = re.compile(
    r'//(?:[^\n\\]|\\.|\\\n)*|/\*.*?\*/'                    # comments
    r'|R"(?P<d>[^()\\\s]{0,16})\(.*?\)(?P=d)"'              # raw strings
    r'|"(?:[^"\\\n]|\\.)*"'                                 # strings
    r"|(?<![0-9a-fA-F])'(?:[^'\\\n]|\\.)+'",                # characters, not 1'000'000
    re.DOTALL)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", re.MULTILINE | re.DOTALL)


def _keep_lines(match):
    text = match.group(0)
    filler = '""' if text[-1] in "\"'" and not text.startswith("/") else " "
    return filler + "\n" * text.count("\n")


def strip_comments(text):
    """The code with comments and literals emptied; line numbers stay."""
    return TOKEN.sub(_keep_lines, text)


def includes(text):
    """(line, target) of each #include, the target with its quotes or brackets."""
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*(<[^>]+>|"[^"]+")', line)
        if match:
            yield number, match.group(1)


def find_words(text, pattern):
    """(line, word) of each match in code, neither in comments nor in literals."""
    code = strip_comments(text)
    for match in re.finditer(pattern, code):
        yield code.count("\n", 0, match.start()) + 1, match.group(0).strip()


@dataclass
class Function:
    name: str
    first_line: int
    lines: int


def _close(code, opening):
    """Index of the brace that closes the one at `opening`, or the end of the text."""
    depth = 0
    for index in range(opening, len(code)):
        depth += (code[index] == "{") - (code[index] == "}")
        if depth == 0:
            return index
    return len(code) - 1


def _without_template(head):
    """The head of a declaration without `template <…>` before it."""
    while match := re.match(r"\s*template\s*<", head):
        depth, index = 1, match.end()
        while index < len(head) and depth:
            depth += (head[index] == "<") - (head[index] == ">" and head[index - 1] != "-")
            index += 1
        head = head[index:]
    return head


def _kind(head):
    """What a brace opens, judged by the text before it: 'scope', 'function' or 'value'."""
    text = _without_template(head).strip()
    if re.match(r'(inline\s+)?namespace\b|extern\s*""$', text):
        return "scope"
    if re.match(r"(typedef\s+|static\s+|const\s+)*(class|struct|union|enum)\b", text):
        return "scope" if not re.search(r"\w\s*\([^)]*\)\s*(const|noexcept)?$", text) else "function"
    if "(" not in text:
        return "value"
    if re.search(r"\)[^?]*(?<!:):(?!:)", text) and not text.endswith((")", "}")):
        return "value"  # a member's initialiser in a constructor
    if re.search(r"[\w>]$", text) and not re.search(
            r"(\)|\b(const|noexcept|override|final|mutable|try))$|->[^{};]*$", text):
        return "value"
    return "function"


def functions(text):
    """Every function body, lambdas within a function counted with it."""
    code = DIRECTIVE.sub(lambda m: "\n" * m.group(0).count("\n"), strip_comments(text))
    head_start, index, parens = 0, 0, 0
    while index < len(code):
        char = code[index]
        parens += (char == "(") - (char == ")")
        if char == "{" and parens > 0:
            index = _close(code, index)  # a default argument or a lambda within an argument
        elif char == "{":
            head = code[head_start:index]
            kind = _kind(re.sub(r"\{[^{}]*\}", "{}", head))
            if kind == "scope":
                head_start = index + 1
            else:
                end = _close(code, index)
                if kind == "function":
                    yield _function(code, head_start, index, end)
                    head_start = end + 1
                index = end
        elif char in ";}" and parens == 0 or _is_access_label(code, head_start, index):
            head_start = index + 1
        index += 1


def _is_access_label(code, head_start, index):
    return code[index] == ":" and re.fullmatch(
        r"\s*(public|private|protected)\s*", code[head_start:index])


def _function(code, head_start, opening, end):
    head = code[head_start:opening]
    first = head_start + len(head) - len(head.lstrip())
    match = re.search(r"([~\w:]+|operator[^\s(]+)\s*\(", _without_template(head))
    first_line = code.count("\n", 0, first) + 1
    return Function(match.group(1) if match else "?", first_line,
                    code.count("\n", first, end) + 1)
