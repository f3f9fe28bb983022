# add_vm_instrumented_build: software compiled with coverage counters (gcov), for images.
#
#     add_vm_instrumented_build(server DEBIAN_SOURCE package SCRIPT script [PACKAGES package...] [USES build...]
#                               [SUITE release] [MIRRORS line...])
#     add_vm_instrumented_build(server SOURCE folder SCRIPT script ...)
#
# - `DEBIAN_SOURCE`: a Debian source package, or
# - `SOURCE`: a folder with sources of your own.
# - `SCRIPT`: configures, builds and installs. It runs in the folder of the sources, as root of a Debian system that has
#   build-essential and the packages, with `CFLAGS`, `CXXFLAGS`, `LDFLAGS` and `DESTDIR` set; it has to honour them, and to install
#   into `DESTDIR`.
# - `PACKAGES`: Debian packages that the build needs.
# - `USES`: other builds, which are installed in that system before.
# - `SUITE`: the Debian release; `bookworm` by default. It has to be that of the images.
# - `MIRRORS`: lines of a `sources.list`; by default the host's Debian mirrors.
#
# Relative paths begin in the folder of the calling list file. A name consists of lower-case letters, digits, dots and dashes.
# Each build is a target `vm-build-NAME`, built when an image that names it (`add_vm_image(... BUILDS NAME)`) is built.
# [coverage.md](../coverage.md) says what comes of it.

include_guard(GLOBAL)

set(VMDSL_BUILD_TOOL "${VMDSL_TOOLS_FOLDER}/vm-build" CACHE INTERNAL "")
file(GLOB_RECURSE tool_sources CONFIGURE_DEPENDS "${VMDSL_TOOLS_FOLDER}/instrumented/*")
set(VMDSL_BUILD_TOOL_SOURCES "${VMDSL_BUILD_TOOL};${tool_sources}" CACHE INTERNAL "")
unset(tool_sources)

function(add_vm_instrumented_build name)
    cmake_parse_arguments(PARSE_ARGV 1 build "" "DEBIAN_SOURCE;SOURCE;SCRIPT;SUITE" "PACKAGES;USES;MIRRORS")
    if(build_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "add_vm_instrumented_build(${name}): unknown arguments: ${build_UNPARSED_ARGUMENTS}")
    endif()
    if(build_KEYWORDS_MISSING_VALUES)
        message(FATAL_ERROR "add_vm_instrumented_build(${name}): no values after: ${build_KEYWORDS_MISSING_VALUES}")
    endif()
    if(NOT name MATCHES "^[a-z0-9][a-z0-9._-]*$")
        message(FATAL_ERROR "add_vm_instrumented_build: '${name}' is not a name of lower-case letters, digits, dots and dashes")
    endif()
    if(NOT build_SCRIPT)
        message(FATAL_ERROR "add_vm_instrumented_build(${name}): SCRIPT is missing: what builds it and installs it into DESTDIR")
    endif()
    if((build_DEBIAN_SOURCE AND build_SOURCE) OR NOT (build_DEBIAN_SOURCE OR build_SOURCE))
        message(FATAL_ERROR "add_vm_instrumented_build(${name}): name a DEBIAN_SOURCE or a SOURCE folder, one of the two")
    endif()
    get_property(known GLOBAL PROPERTY VMDSL_BUILDS)
    if(name IN_LIST known)
        message(FATAL_ERROR "add_vm_instrumented_build: build '${name}' is declared twice")
    endif()
    set(inputs "")
    _vmdsl_build_input("${name}" build_SCRIPT)
    set(words --name "${name}" --script "${build_SCRIPT}" --log "${CMAKE_BINARY_DIR}/vm-builds/${name}.log")
    list(APPEND inputs "${build_SCRIPT}")
    if(build_SOURCE)
        _vmdsl_build_input("${name}" build_SOURCE)
        list(APPEND words --folder "${build_SOURCE}")
        file(GLOB_RECURSE inside CONFIGURE_DEPENDS "${build_SOURCE}/*")
        list(APPEND inputs ${inside})
    else()
        list(APPEND words --source-package "${build_DEBIAN_SOURCE}")
    endif()
    if(build_SUITE)
        list(APPEND words --suite "${build_SUITE}")
    endif()
    foreach(line IN LISTS build_MIRRORS)
        list(APPEND words "--mirror=${line}")
    endforeach()
    foreach(package IN LISTS build_PACKAGES)
        list(APPEND words --package "${package}")
    endforeach()
    foreach(used IN LISTS build_USES)
        vmdsl_require_build("${used}")
        vmdsl_build_description("${used}" description)
        list(APPEND words --uses "${description}")
        list(APPEND inputs "${description}")
    endforeach()
    set_property(GLOBAL APPEND PROPERTY VMDSL_BUILDS "${name}")
    vmdsl_build_description("${name}" output)
    add_custom_command(
        OUTPUT "${output}"
        COMMAND "${VMDSL_BUILD_TOOL}" --output "${output}" ${words}
        COMMAND "${CMAKE_COMMAND}" -E touch "${output}"
        DEPENDS ${inputs} ${VMDSL_BUILD_TOOL_SOURCES} ${VMDSL_IMAGE_TOOL_SOURCES}
        COMMENT "Instrumented build ${name}"
        VERBATIM)
    add_custom_target("vm-build-${name}" DEPENDS "${output}")
    foreach(used IN LISTS build_USES)
        add_dependencies("vm-build-${name}" "vm-build-${used}")
    endforeach()
endfunction()

function(_vmdsl_build_input name path_var)
    set(path "${${path_var}}")
    cmake_path(ABSOLUTE_PATH path BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}" NORMALIZE)
    if(NOT EXISTS "${path}")
        message(FATAL_ERROR "add_vm_instrumented_build(${name}): ${path} does not exist")
    endif()
    set(${path_var} "${path}" PARENT_SCOPE)
endfunction()

function(vmdsl_build_description name out_var)
    set(${out_var} "${CMAKE_BINARY_DIR}/vm-builds/${name}.build.json" PARENT_SCOPE)
endfunction()

function(vmdsl_require_build name)
    get_property(known GLOBAL PROPERTY VMDSL_BUILDS)
    if(NOT name IN_LIST known)
        list(SORT known)
        list(JOIN known ", " names)
        message(FATAL_ERROR "There is no instrumented build '${name}'. Declared with add_vm_instrumented_build so far: ${names}")
    endif()
endfunction()
