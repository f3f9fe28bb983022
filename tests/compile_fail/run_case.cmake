# One run of vmdsl_compile_fail(): cmake -D COMPILER= -D FLAGS_FILE= -D SOURCE= -D EXPECT=control|rejects -D REGEX= -D ABSENT= -P.
#
# The control must compile without any output, so that it is known that nothing but the mistake is refused. The mistake
# must fail, and the output must match: a file that fails for another reason, such as a header that was renamed, is as
# much a failure of this test as one that compiles.

if(EXPECT STREQUAL "control")
    set(case 0)
else()
    set(case 1)
endif()

# The C locale, for plain quotes in messages; whole lines, so that an expression never meets a line break.
set(ENV{LC_ALL} C)
execute_process(
    COMMAND "${COMPILER}" "@${FLAGS_FILE}" -Wall -Wextra -fsyntax-only -fmessage-length=0 -DCASE=${case} "${SOURCE}"
    RESULT_VARIABLE result
    OUTPUT_VARIABLE output
    ERROR_VARIABLE output)

if(NOT result MATCHES "^[0-9]+$")
    message(FATAL_ERROR "the compiler could not be run, or was killed: ${result}")
endif()

if(EXPECT STREQUAL "control")
    if(NOT result EQUAL 0 OR NOT output STREQUAL "")
        message("${output}")
        message(FATAL_ERROR "the control does not compile without a message (exit code ${result})")
    endif()
    return()
endif()

if(result EQUAL 0)
    message(FATAL_ERROR "the mistake compiles")
endif()
if(NOT output MATCHES "error:")
    message("${output}")
    message(FATAL_ERROR "the compiler failed without an error message (exit code ${result})")
endif()
foreach(expression IN LISTS REGEX)
    if(NOT output MATCHES "${expression}")
        message("${output}")
        message(FATAL_ERROR "the mistake is refused for another reason than \"${expression}\"")
    endif()
endforeach()
if(ABSENT AND output MATCHES "${ABSENT}")
    message("${output}")
    message(FATAL_ERROR "the mistake is followed by \"${CMAKE_MATCH_0}\"")
endif()
