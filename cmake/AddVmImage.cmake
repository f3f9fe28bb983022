# add_vm_image: the guests that machines of a spec name.
#
#     add_vm_image(server [PACKAGES package...] [BUILDS build...] [FILES source:place[:mode]...] [SETUP program...]
#                  [SUITE release] [MIRRORS line...])
#     add_vm_image(own KERNEL path INITRD path [ARGUMENTS word...])
#
# The first form is a Debian system:
#
# - `PACKAGES`: Debian packages, beside a small base system with systemd.
# - `BUILDS`: what `add_vm_instrumented_build` declared; put in place after the packages.
# - `FILES`: files or folders of the host, put in place after the builds. The place is an absolute path in the guest; the mode is
#   octal and for files, which keep their own where none is given; folders have 755. The owner is root.
# - `SETUP`: programs of the host that then run in the system as root, in the order given.
# - `SUITE`: the Debian release; `bookworm` by default.
# - `MIRRORS`: lines of a `sources.list`; by default the host's Debian mirrors.
#
# The second form is a kernel and an initrd of your own:
#
# - `KERNEL`, `INITRD`: the two files. The initrd has to hold the guest agent.
# - `ARGUMENTS`: the kernel's, none by default.
#
# Relative paths begin in the folder of the calling list file. A name consists of lower-case letters, digits, dots and dashes.
# Each image is a target `vm-image-NAME`, built when a test that names it is built, and not otherwise. The image `tiny` (kernel,
# agent, busybox) is always declared. [images.md](../images.md) says what is in the images.
#
# What was built elsewhere is not built again: the cache variable `VMDSL_IMAGE_PATH` is a list of folders with `NAME.image.json`
# files. With `VMDSL_BUILD_IMAGES` set to `OFF` no image is built at all; a spec looks for those that are in none of these folders
# in `$VMDSL_IMAGE_PATH` when it runs.
#
# For list files that do more with images:
#
#     vmdsl_image_descriptor(NAME out_var)   # the descriptor's path; empty where it is known only when the spec runs
#     vmdsl_require_image(NAME)              # stops configuring, with the names that are known, when NAME is not one

include_guard(GLOBAL)

set(VMDSL_IMAGE_PATH "" CACHE STRING "Folders with NAME.image.json files of images that are built elsewhere")
option(VMDSL_BUILD_IMAGES "Build the images that are not in VMDSL_IMAGE_PATH" ON)

# VMDSL_TOOLS_FOLDER is in the source tree, or in the tree that vmdsl was installed into.
set(VMDSL_IMAGE_TOOL "${VMDSL_TOOLS_FOLDER}/vm-image" CACHE INTERNAL "")
file(GLOB_RECURSE tool_sources CONFIGURE_DEPENDS "${VMDSL_TOOLS_FOLDER}/image/*.py" "${VMDSL_TOOLS_FOLDER}/image/*.sh")
set(VMDSL_IMAGE_TOOL_SOURCES "${VMDSL_IMAGE_TOOL};${tool_sources}" CACHE INTERNAL "")
unset(tool_sources)

function(add_vm_image name)
    cmake_parse_arguments(PARSE_ARGV 1 image "" "KERNEL;INITRD;SUITE" "PACKAGES;BUILDS;FILES;SETUP;ARGUMENTS;MIRRORS")
    if(image_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "add_vm_image(${name}): unknown arguments: ${image_UNPARSED_ARGUMENTS}")
    endif()
    if(image_KEYWORDS_MISSING_VALUES)
        message(FATAL_ERROR "add_vm_image(${name}): no values after: ${image_KEYWORDS_MISSING_VALUES}")
    endif()
    if(image_KERNEL OR image_INITRD)
        _vmdsl_given_image("${name}")
    else()
        _vmdsl_debian_image("${name}")
    endif()
endfunction()

function(vmdsl_image_descriptor name out_var)
    foreach(folder IN LISTS VMDSL_IMAGE_PATH)
        if(EXISTS "${folder}/${name}.image.json")
            set(${out_var} "${folder}/${name}.image.json" PARENT_SCOPE)
            return()
        endif()
    endforeach()
    set(${out_var} "" PARENT_SCOPE)
    if(VMDSL_BUILD_IMAGES)
        _vmdsl_built_descriptor("${name}" built)
        set(${out_var} "${built}" PARENT_SCOPE)
    endif()
endfunction()

function(_vmdsl_built_descriptor name out_var)
    set(${out_var} "${CMAKE_BINARY_DIR}/vm-images/${name}.image.json" PARENT_SCOPE)
endfunction()

function(vmdsl_require_image name)
    get_property(known GLOBAL PROPERTY VMDSL_IMAGES)
    if(NOT name IN_LIST known)
        list(SORT known)
        list(JOIN known ", " names)
        message(FATAL_ERROR "There is no image '${name}'. Declared with add_vm_image so far: ${names}")
    endif()
endfunction()

# The macros below see add_vm_image's parsed arguments.

macro(_vmdsl_given_image name)
    if(NOT image_KERNEL OR NOT image_INITRD)
        message(FATAL_ERROR "add_vm_image(${name}): KERNEL and INITRD belong together")
    endif()
    if(image_PACKAGES OR image_BUILDS OR image_FILES OR image_SETUP OR image_SUITE OR image_MIRRORS)
        message(FATAL_ERROR "add_vm_image(${name}): PACKAGES, BUILDS, FILES, SETUP, SUITE and MIRRORS are for Debian images; "
            "with KERNEL and INITRD only ARGUMENTS may be given")
    endif()
    cmake_path(ABSOLUTE_PATH image_KERNEL BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}")
    cmake_path(ABSOLUTE_PATH image_INITRD BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}")
    set(words --kernel "${image_KERNEL}" --initrd "${image_INITRD}")
    foreach(argument IN LISTS image_ARGUMENTS)
        list(APPEND words "--argument=${argument}")
    endforeach()
    _vmdsl_image_target("${name}" given "${words}" "${image_KERNEL};${image_INITRD}")
endmacro()

macro(_vmdsl_debian_image name)
    if(image_ARGUMENTS)
        message(FATAL_ERROR "add_vm_image(${name}): ARGUMENTS go with KERNEL and INITRD; a Debian image has its own, "
            "and a machine can add to them")
    endif()
    set(words --agent "$<TARGET_FILE:vmdsl::agent>" --log "${CMAKE_BINARY_DIR}/vm-images/${name}.log")
    set(inputs "$<TARGET_FILE:vmdsl::agent>")
    if(image_SUITE)
        list(APPEND words --suite "${image_SUITE}")
    endif()
    foreach(line IN LISTS image_MIRRORS)
        list(APPEND words "--mirror=${line}")
    endforeach()
    foreach(package IN LISTS image_PACKAGES)
        list(APPEND words --package "${package}")
    endforeach()
    foreach(build IN LISTS image_BUILDS)
        vmdsl_require_build("${build}")
        vmdsl_build_description("${build}" description)
        list(APPEND words --build "${description}")
        list(APPEND inputs "${description}")
    endforeach()
    foreach(file IN LISTS image_FILES)
        if(NOT file MATCHES "^([^:]+)(:/.*)$")
            message(FATAL_ERROR "add_vm_image(${name}): '${file}' is not SOURCE:/ABSOLUTE/PLACE[:MODE]")
        endif()
        set(source "${CMAKE_MATCH_1}")
        set(place "${CMAKE_MATCH_2}")
        _vmdsl_image_input("${name}" source)
        list(APPEND words --file "${source}${place}")
        if(IS_DIRECTORY "${source}")
            file(GLOB_RECURSE inside CONFIGURE_DEPENDS "${source}/*")
            list(APPEND inputs ${inside})
        else()
            list(APPEND inputs "${source}")
        endif()
    endforeach()
    foreach(source IN LISTS image_SETUP)
        _vmdsl_image_input("${name}" source)
        list(APPEND words --setup "${source}")
        list(APPEND inputs "${source}")
    endforeach()
    _vmdsl_image_target("${name}" debian "${words}" "${inputs}")
    get_target_property(is_built "vm-image-${name}" VMDSL_IMAGE_DESCRIPTOR)
    if(is_built)
        foreach(build IN LISTS image_BUILDS)
            add_dependencies("vm-image-${name}" "vm-build-${build}")
        endforeach()
    endif()
endmacro()

function(_vmdsl_image_input name path_var)
    set(path "${${path_var}}")
    cmake_path(ABSOLUTE_PATH path BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}" NORMALIZE)
    get_source_file_property(generated "${path}" GENERATED)
    if(NOT EXISTS "${path}" AND NOT generated)
        message(FATAL_ERROR "add_vm_image(${name}): ${path} does not exist")
    endif()
    set(${path_var} "${path}" PARENT_SCOPE)
endfunction()

function(_vmdsl_image_target name command words inputs)
    if(NOT name MATCHES "^[a-z0-9][a-z0-9._-]*$")
        message(FATAL_ERROR "add_vm_image: '${name}' is not a name of lower-case letters, digits, dots and dashes")
    endif()
    get_property(known GLOBAL PROPERTY VMDSL_IMAGES)
    if(name IN_LIST known)
        message(FATAL_ERROR "add_vm_image: image '${name}' is declared twice")
    endif()
    set_property(GLOBAL APPEND PROPERTY VMDSL_IMAGES "${name}")
    vmdsl_image_descriptor("${name}" output)
    _vmdsl_built_descriptor("${name}" built)
    if(NOT output STREQUAL built)
        add_custom_target("vm-image-${name}")
        return()
    endif()
    add_custom_command(
        OUTPUT "${output}"
        COMMAND "${VMDSL_IMAGE_TOOL}" ${command} --name "${name}" --output "${output}" ${words}
        COMMAND "${CMAKE_COMMAND}" -E touch "${output}"
        DEPENDS ${inputs} ${VMDSL_IMAGE_TOOL_SOURCES}
        COMMENT "Image ${name}"
        VERBATIM)
    add_custom_target("vm-image-${name}" DEPENDS "${output}")
    set_target_properties("vm-image-${name}" PROPERTIES VMDSL_IMAGE_DESCRIPTOR "${output}")
endfunction()

_vmdsl_image_target(tiny tiny "--agent;$<TARGET_FILE:vmdsl::agent>" "$<TARGET_FILE:vmdsl::agent>")
