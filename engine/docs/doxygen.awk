# Makes the headers' plain comments those that Doxygen reads. A line that goes on to a row of dashes
# opens a chapter, which documents nothing. What is set in by three is code.
FNR == 1 && /^\/\*/ { print "/** @file"; next }
FNR == 1 && /^\/\// { print "/// @file"; print "/// " substr($0, 4); next }
/^ *\/[*\/] .* -----/ { print; next }
/^ \*   / { print " *    " substr($0, 3); next }
/^\/\/   / { print "///      " substr($0, 3); next }
/^ *\/\/$/ { print $0 "/"; next }
/NOLINT/ { print; next }
/^ *\/\* / { sub(/\/\*/, "/**"); print; next }
/^ *\/\/ / { sub(/\/\//, "///"); print; next }
/[;,{)] +\/\* / { sub(/\/\* /, "/**< "); print; next }
/[;,{)] +\/\/ / { sub(/\/\/ /, "///< "); print; next }
/^ *[A-Z_a-z0-9]+( = [-0-9]+)? +\/\* / { sub(/\/\* /, "/**< "); print; next }
{ print }
