"""What the style test enforces, as data: the layers, the banned words, the limits."""

# room: the rooms it may include, besides itself. Arrows point down only.
LAYERS = {
    "engine/base": [],
    "engine/core": ["engine/base"],
    "engine/wire": ["engine/base", "engine/core"],
    "engine/net": ["engine/base", "engine/core", "engine/wire"],
    "cdn/pool": ["engine/base", "engine/core"],
    "prefetch": ["engine/base", "engine/core"],
    "player/buffer": ["engine/base", "engine/core"],
    "player/node": ["engine/base", "engine/core", "engine/wire", "cdn/pool", "prefetch",
                    "player/buffer"],
    "engine/sim": ["engine/base", "engine/core", "engine/wire", "cdn/pool", "prefetch",
                   "player/buffer", "player/node"],
    "player/media": ["engine/base", "engine/core"],
    "cdn/http": ["engine/base", "engine/core", "engine/wire", "engine/net", "cdn/pool"],
    "player/client": ["engine/base", "engine/core", "engine/wire", "engine/net", "cdn/pool",
                      "cdn/http", "prefetch", "player/buffer", "player/node", "player/media"],
    "player/api": ["engine/base", "engine/core", "engine/wire", "engine/net", "cdn/pool", "prefetch",
                   "player/media", "player/client"],
    "player/gateway": ["engine/base", "engine/core", "engine/wire", "engine/net", "cdn/pool",
                       "cdn/http", "player/node", "player/media", "player/client"],
    "demo": ["engine/base", "engine/wire", "engine/net", "cdn/http", "player/media",
             "player/client", "player/gateway"],
    "player/avio": [],
    "player/gstreamer": [],
    "demo/embed": [],
    "demo/loadtest": ["engine/base", "engine/core", "engine/wire", "engine/net", "engine/sim",
                      "cdn/http", "player/client", "demo"],
}

# `tributary play`, and what of the other rooms it and the headers of demo that it includes may know:
# values and the clock. Everything else it has from <tributary/tributary.hpp>, as any embedder.
PLAY = r"demo/(play\w*|live_view|view_tables|summary|rate_meter|client_options|trace_writer)\.(h|cpp)"
PLAY_MAY_INCLUDE = ["engine/base/endpoint.h", "engine/base/result.h", "engine/base/units.h",
                    "engine/net/clock.h"]

# The rooms without I/O, threads or clocks, and the static library of each.
PURE = {
    "engine/base": "base", "engine/core": "core", "engine/wire": "wire", "cdn/pool": "cdn_pool",
    "prefetch": "prefetch", "player/buffer": "buffer", "player/node": "node", "engine/sim": "sim",
}

# library: the include paths that show its use, and the only rooms that may use it.
CONTAINED = {
    "FFmpeg": (r"lib(av|sw)\w+/", ["player/media", "player/avio", "demo/embed"]),
    "GStreamer": (r"gst/", ["player/gstreamer"]),
    "libmpv": (r"mpv/", ["demo/embed"]),
    "libcurl": (r"curl/", ["engine/net", "cdn/http"]),
    "libmicrohttpd": (r"microhttpd\.h", ["engine/net", "cdn/http"]),
    "libuv": (r"uv\.h", ["engine/net", "cdn/http", "player/client"]),
    "OpenSSL": (r"openssl/", ["engine/net"]),
    "SQLite": (r"sqlite3\.h", ["engine/net"]),
    "toml++": (r"toml\+\+/", ["demo/loadtest"]),
    "SDL": (r"SDL2?[/.]", ["player/media", "player/client", "demo"]),
}

# In pure rooms. The standard headers end in > or a slash so that <time.h> is not <timeline.h>.
BANNED_INCLUDES = [
    r"<(thread|mutex|shared_mutex|atomic|condition_variable|future|semaphore|latch|barrier)>",
    r"<(random|iostream|fstream|filesystem|ctime|csignal|unordered_map|unordered_set)>",
    r"<(unistd|fcntl|pthread|time|netdb|poll|signal|dirent)\.h>",
    r"<(sys|arpa|net|netinet|linux|curl|openssl)/",
    r"<(uv|microhttpd|sqlite3)\.h>",
]
BANNED_WORDS = {
    "a clock is read": r"_clock\s*::\s*now|\bclock_gettime\b|\bgettimeofday\b"
                       r"|std::time\s*\(|(?<![\w.>:])time\s*\(\s*(nullptr|NULL|0|&)",
    "randomness from outside": r"\brandom_device\b|\bmt19937|std::shuffle\b|\w_distribution\b"
                               r"|(?<![\w.>])s?rand\s*\(",
    "the environment is read": r"\bgetenv\b",
    "no set order of iteration": r"\bunordered_(map|set|multimap|multiset)\b",
    "ordered by address": r"std::(map|set|multimap|multiset)<\s*(const\s+)?[\w:]+\s*(const\s*)?\*",
    "shared ownership": r"\b(shared_ptr|weak_ptr|make_shared|enable_shared_from_this)\b",
    "threads or locks": r"\bstd::(thread|jthread|mutex|atomic|async|lock_guard|unique_lock)\b"
                        r"|\bthread_local\b",
}

# Undefined symbols a pure library may have, after demangling; its own and lower rooms' come on top.
RUNTIME_SYMBOLS = [
    r"operator (new|delete)", r"__cxa_\w+", r"__gxx_personality_v0", r"_Unwind_\w+",
    r"(vtable|typeinfo|VTT|guard variable)( name)? for (__cxxabiv1|std)::.*",
    r"(?!.*(_clock::now|std::thread|random_device|filesystem|condition_variable|basic_[io]?f?stream"
    r"|basic_filebuf|std::mutex|std::getline|std::cout|std::cerr|std::cin))(\w[\w<>:, *&]* )?std::.*",
    r"__gnu_cxx::.*", r"mem(cpy|move|set|cmp|chr)", r"str(len|cmp|ncmp|chr|rchr|str|nlen|tol\w*)",
    r"abort", r"__assert_fail", r"__stack_chk_fail", r"v?snprintf", r"__v?snprintf_chk", r"fprintf",
    r"__fprintf_chk", r"fwrite", r"fputs", r"fputc", r"stderr", r"abs", r"labs",
    r"__u?(div|mod)ti3", r"__popcountdi2", r"_GLOBAL_OFFSET_TABLE_", r"__dso_handle", r"__tls_get_addr",
    r"(sqrt|exp|exp2|expm1|log|log2|log10|log1p|pow|floor|ceil|round|lround|llround|trunc|fmod"
    r"|ldexp|frexp|erf|erfc|cbrt|nextafter)f?l?",
]

MAX_FUNCTION_LINES = 70   # a function fits a screen
WARN_FILE_LINES = 500     # beyond it a file needs a reason in LONG_FILES
MAX_FILE_LINES = 800
LONG_FILES = {
    # "path": "why it is better whole",
    "engine/net/http_client.cpp": "one transfer's life on two libraries' callbacks, which share it",
    "tests/cdn/pool/edge_pool_test.cpp": "one pool's rules, read side by side",
}
ROOT_ENTRIES = ["CMakeLists.txt", "README.md", "LICENSE", "engine", "player", "cdn", "prefetch",
                "tests", "demo"]

# Paths of one machine, and papers that do not travel with the repository.
PRIVATE_PATHS = (r"(?<![\w.])/(work|root)/|/tmp/(b|ccache)/"
                 r"|\b(RIVALS|SPOTIFY|DEPENDENCIES)\.md|\bshared/DESIGN")
UNFINISHED = r"\b(TODO|FIXME|XXX|HACK)\b"
SLEEPS = r"\b(sleep_for|sleep_until|usleep|nanosleep)\b"
