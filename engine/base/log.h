// Where log lines go. The library never writes to a stream by itself.
#pragma once

#include <functional>
#include <string_view>

namespace tributary {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

// Called on the thread that logs; the text is valid during the call only.
using LogSink = std::function<void(LogLevel, std::string_view)>;

}  // namespace tributary
