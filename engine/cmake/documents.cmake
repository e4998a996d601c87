# cmake -DPROGRAM=… -DOUT=FOLDER -P documents.cmake: has the command write its manual pages, each
# compressed as man(1) and Debian expect it, and its completions, by the names that the shells look for.
file(REMOVE_RECURSE "${OUT}")
file(MAKE_DIRECTORY "${OUT}/man1")

function(printed file)
  execute_process(COMMAND "${PROGRAM}" ${ARGN} OUTPUT_FILE "${OUT}/${file}" COMMAND_ERROR_IS_FATAL ANY)
endfunction()

printed(man1/tributary.1 man)
file(STRINGS "${OUT}/man1/tributary.1" commands REGEX "^\\.BR tributary\\\\-[a-z]+ ")
foreach(line IN LISTS commands)
  string(REGEX REPLACE "^\\.BR tributary\\\\-([a-z]+) .*$" "\\1" command "${line}")
  printed(man1/tributary-${command}.1 man ${command})
endforeach()
file(GLOB pages "${OUT}/man1/*.1")
execute_process(COMMAND gzip -9n ${pages} COMMAND_ERROR_IS_FATAL ANY)

printed(tributary completion bash)
printed(_tributary completion zsh)
printed(tributary.fish completion fish)
