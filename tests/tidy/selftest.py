"""Proof that every rule fires: samples that must be found, and look-alikes that must not."""
import grouping
import rules
import source

HEADER = "// Says what the header is for.\n#pragma once\n"
LONG_BODY = "  step();\n" * 71

# (rule, bad files, good files): the rule must find something in the first, nothing in the second.
SAMPLES = [
    (rules.layers, {"engine/base/a.h": '#include "engine/core/ids.h"\n'},
     {"engine/core/a.h": '#include "engine/base/units.h"\n#include <vector>\n'}),
    (rules.layers, {"engine/core/a.cpp": '#include "ids.h"\n'},
     {"tests/engine/core/a_test.cpp": '#include "player/client/client.h"\n'}),
    (rules.layers, {"demo/a.cpp": '#include "engine/core/picker.h"\n'},
     {"demo/a.cpp": '#include "player/client/client.h"\n'}),
    (rules.play_embeds, {"demo/play.cpp": '#include "player/client/client.h"\n'},
     {"demo/play.cpp": '#include <tributary/tributary.hpp>\n#include "engine/base/units.h"\n',
      "demo/gateway.cpp": '#include "player/client/client.h"\n'}),
    (rules.play_embeds, {"demo/live_view.h": '#include "demo/a.h"\n',
                         "demo/a.h": '#include <engine/core/swarm.h>\n'},
     {"demo/live_view.h": '#include "demo/a.h"\n', "demo/a.h": "#include <vector>\n",
      "demo/a.cpp": '#include "engine/net/address.h"\n'}),
    (rules.links, {"cdn/pool/CMakeLists.txt": "tributary_room(cdn_pool DEPENDS tributary_net)\n",
                   "engine/net/CMakeLists.txt": "tributary_room(net)\n"},
     {"cdn/pool/CMakeLists.txt": "tributary_room(cdn_pool DEPENDS tributary_core)\n",
      "engine/core/CMakeLists.txt": "tributary_room(core)\n"}),
    (rules.libraries, {"player/client/a.cpp": "#include <libavformat/avformat.h>\n"},
     {"player/media/a.cpp": "#include <libavformat/avformat.h>\n"}),
    (rules.pure_includes, {"prefetch/a.cpp": "#include <thread>\n"},
     {"engine/net/a.cpp": "#include <thread>\n", "prefetch/a.cpp": "#include <vector>\n"}),
    (rules.pure_includes, {"engine/core/a.h": "#include <sys/socket.h>\n"},
     {"engine/core/a.h": "#include <algorithm>\n"}),
    (rules.pure_words, {"engine/core/a.cpp": "auto t = std::chrono::steady_clock::now();\n"},
     {"engine/core/a.cpp": "// never steady_clock::now()\nlog(\"steady_clock::now\");\n"}),
    (rules.pure_words, {"engine/core/a.cpp": "seed(time(nullptr));\n"},
     {"engine/core/a.cpp": "start_time(0); map.time(0); Time time(Bytes at);\n"}),
    (rules.pure_words, {"engine/core/a.cpp": "int x = rand();\n"},
     {"engine/core/a.cpp": "operand(1); random.rand(2);\n"}),
    (rules.pure_words, {"engine/sim/a.cpp": "std::uniform_int_distribution<int> d;\n"},
     {"engine/net/a.cpp": "std::uniform_int_distribution<int> d;\n"}),
    (rules.pure_words, {"engine/core/a.h": "std::unordered_map<int, int> m_;\n"},
     {"engine/core/a.h": "std::map<int, int*> m_;\n"}),
    (rules.pure_words, {"engine/core/a.h": "std::map<const Peer*, int> m_;\n"},
     {"engine/core/a.h": "std::set<PeerId> m_;\n"}),
    (rules.pure_words, {"player/node/a.h": "std::shared_ptr<int> p_;\n"},
     {"player/client/a.h": "std::shared_ptr<int> p_;\n"}),
    (rules.pure_words, {"engine/wire/a.cpp": "getenv(\"HOME\");\n"},
     {"engine/wire/a.cpp": "std::unique_ptr<int> p;\n"}),
    (rules.file_length, {"cdn/http/a.cpp": "int x;\n" * 801}, {"cdn/http/a.cpp": "int x;\n" * 800}),
    (rules.function_length, {"demo/a.cpp": f"int main() {{\n{LONG_BODY}}}\n"},
     {"demo/a.cpp": f"int main() {{\n{LONG_BODY[:500]}}}\n"}),
    (rules.header_purpose, {"cdn/pool/a.h": "#pragma once\n"}, {"cdn/pool/a.h": HEADER}),
    (rules.header_purpose, {"cdn/pool/a.h": "// Says what it is for.\nint x;\n"},
     {"cdn/pool/a.h": "/* Says what\n   it is for. */\n#pragma once\n"}),
    (rules.header_purpose, {"player/api/include/a.h": HEADER},
     {"player/api/include/a.h": "/* Says what it is for. */\n#ifndef A_H\n#define A_H\n"}),
    (rules.private_paths, {"README.md": "see /" + "work/main\n"},
     {"README.md": "see http://host/work/main and build/work/x\n"}),
    (rules.unfinished, {"demo/a.cpp": "// TO" + "DO: later\n"},
     {"demo/run": "mktemp -d dir.XXXXXX\n"}),
    (rules.root_entries, {"notes.txt": ""}, {".clang-tidy": "", "engine/base/a.h": ""}),
    (rules.sleeps, {"tests/a_test.cpp": "std::this_thread::sleep_for(1s);\n"},
     {"tests/a_test.cpp": "// no sleep_for here\n"}),
    (rules.test_names, {"tests/a_test.cpp": 'TEST_CASE("bitfield") {}\n'},
     {"tests/a_test.cpp": 'TEST_CASE("a bitfield counts its bits") {}\n'}),
    (rules.test_names, {"tests/a_test.cpp": 'TEST_CASE("one of two") {}\nTEST_CASE("one of two") {}\n'},
     {"tests/a_test.cpp": 'TEST_CASE("one of two") {}\nTEST_CASE("two of two") {}\n'}),
    (rules.fuzzed, {"engine/wire/a.h": "int decode_a(int);  // fuzz me\n",
                    "engine/wire/a.cpp": "int decode_a(int x) {\n  return x;\n}\n",
                    "tests/fuzz/fuzz_b.cpp": "int main() {\n  // decode_a(1);\n  decode_b(1);\n}\n"},
     {"engine/wire/a.h": "int decode_a(int);\nint decode_b(int);\n",
      "engine/wire/a.cpp": "int decode_a(int x) {\n  return decode_b(x);\n}\n"
                           "int decode_b(int x) {\n  return x;\n}\n",
      "tests/fuzz/fuzz_a.cpp": "int main() {\n  decode_a(1);\n}\n"}),
]

# (defined in base, undefined in core): symbols that must be found, and that must not.
BAD_SYMBOLS = ["socket", "clock_gettime", "pthread_mutex_lock", "uv_run", "curl_multi_init",
               "EVP_DigestInit", "open", "getenv", "std::chrono::_V2::steady_clock::now()",
               "tributary::net::Loop::run()", "std::random_device::_M_getval()"]
GOOD_SYMBOLS = ["memcpy", "operator new(unsigned long)", "abort", "__cxa_throw", "snprintf",
                "std::__throw_length_error(char const*)", "tributary::check_failed(char const*)",
                "vtable for __cxxabiv1::__si_class_type_info", "log2"]

# text → [(name, lines)] of the functions the scanner must see.
SCANNED = [
    ("int f() {\n  return 1;\n}\n", [("f", 3)]),
    ("namespace a {\nclass B {\n public:\n  B() : x_{1}, y_(2) {\n  }\n  int g() const { return 0; }\n"
     " private:\n  int x_{3};\n};\n}\n", [("B", 2), ("g", 1)]),
    ("template <class T>\nT h(T a = {}) noexcept {\n  auto l = [] { return 1; };\n}\n", [("h", 4)]),
    ('TEST_CASE("a } in a name") {\n  /* { */ // }\n  if (x) {\n  }\n}\n', [("TEST_CASE", 5)]),
    ("#define M(x) \\\n  do { x; } while (0)\nconst int k[] = {1, 2};\nvoid i();\n", []),
    ("auto j() -> std::vector<int> {\n  return {};\n}\nstruct K { int x = 1'000'000; };\n",
     [("j", 3)]),
    ("bool L::operator==(const L& o) const {\n  return true;\n}\n", [("operator==", 3)]),
    ("enum class E { kA, kB };\nconstexpr P kP{.a = 1, .b = {2}};\n", []),
    ("L::L(int a)\n    : a_(a),\n      b_{a} {\n  run();\n}\n", [("L::L", 5)]),
    ("const auto m = [](int x) {\n  return x;\n};\n", [("?", 3)]),
    ("struct N : O {\n  void p() override {\n  }\n};\n", [("p", 2)]),
    ('const char* q = R"(void f() {)";\nchar r = \'{\';\nint s() { return 0; }\n', [("s", 1)]),
]

# (what each of some files keeps to itself, the files that can be read as one)
UNNAMED = "namespace a {{\nnamespace {{\n\n{}\n\n}}  // namespace\n\nint f() {{}}\n}}  // namespace a\n"
GROUPED = [
    (["int g(int x) {\n  return x;\n}", "// int g();\nint h() { return g(); }"],
     [["0.cpp", "1.cpp"]]),
    (["constexpr int kMost = 1;", "int f();", "const char* kMost = nullptr;"],
     [["0.cpp", "1.cpp"], ["2.cpp"]]),
    (["struct Node {\n  int at;\n};", "std::vector<int> Node();", "class Leaf;"],
     [["0.cpp", "2.cpp"], ["1.cpp"]]),
    (["using Json = int;\n#define LOG(x)", "enum class Json { kA };", "#define LOG"],
     [["0.cpp"], ["1.cpp", "2.cpp"]]),
    (['TEST_CASE("a") {\n}\nnamespace fs = std::filesystem;', 'TEST_CASE("b") {\n}',
      "namespace fs = std::filesystem;"], [["0.cpp", "1.cpp", "2.cpp"]]),
]


def _check_samples():
    for rule, bad, good in SAMPLES:
        yield rule.__name__, bool(list(rule(rules.Tree(bad)))), f"misses {bad}"
        yield rule.__name__, not list(rule(rules.Tree(good))), f"wrongly finds {good}"


def _check_symbols():
    def found(symbol):
        tree = rules.Tree({}, symbols={
            "engine/base": ({"tributary::check_failed(char const*)"}, set()),
            "engine/core": (set(), {symbol})})
        return bool(list(rules.pure_symbols(tree)))
    for symbol in BAD_SYMBOLS:
        yield "pure_symbols", found(symbol), f"misses {symbol}"
    for symbol in GOOD_SYMBOLS:
        yield "pure_symbols", not found(symbol), f"wrongly finds {symbol}"


def _check_scanner():
    for text, expected in SCANNED:
        seen = [(f.name, f.lines) for f in source.functions(text)]
        yield "the scanner", seen == expected, f"saw {seen}, not {expected}, in {text!r}"


def _check_grouping():
    for names, expected in GROUPED:
        texts = {f"{i}.cpp": UNNAMED.format(name) for i, name in enumerate(names)}
        groups = grouping.group(texts)
        yield "the grouping", groups == expected, f"made {groups}, not {expected}, of {names}"


def run():
    """(passed, failed), one test for each rule, the scanner, the grouping; prints what failed."""
    checks = [*_check_samples(), *_check_symbols(), *_check_scanner(), *_check_grouping()]
    tested = {name for name, _, _ in checks}
    failed = {rule.__name__ for rule in rules.RULES} - tested
    for name in sorted(failed):
        print(f"FAIL self-test: {name} has no sample")
    for name, held, message in checks:
        if not held:
            print(f"FAIL self-test: {name} {message}")
            failed.add(name)
    return len(tested - failed), len(failed)
