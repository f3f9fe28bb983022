# The library targets.
#
#   vmdsl::vmdsl        compiled once; what add_vm_test links. Users see the headers as system headers.
#   vmdsl::header_only  nothing compiled; every body is inline.
#   vmdsl::main         main(), for specs that use the compiled library.
#   vmdsl_dev           the compiled library with our own warnings, for the project's own tests.

cmake_path(GET CMAKE_CURRENT_LIST_DIR PARENT_PATH VMDSL_ROOT)

set(VMDSL_WARNINGS -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wnon-virtual-dtor
    -Woverloaded-virtual)
if(VMDSL_WERROR)
    list(APPEND VMDSL_WARNINGS -Werror)
endif()

# What the headers need, in either mode.
add_library(vmdsl_requirements INTERFACE)
target_compile_features(vmdsl_requirements INTERFACE cxx_std_20)
target_compile_definitions(vmdsl_requirements INTERFACE
    BOOST_TEST_DYN_LINK BOOST_TEST_NO_MAIN BOOST_TEST_ALTERNATIVE_INIT_API)
target_link_libraries(vmdsl_requirements INTERFACE
    Boost::unit_test_framework Boost::json Boost::headers fmt::fmt Threads::Threads)
if(VMDSL_SANITIZE)
    set(sanitizer_flags "-fsanitize=${VMDSL_SANITIZE}" -fno-sanitize-recover=all -fno-omit-frame-pointer)
    if(VMDSL_SANITIZE STREQUAL "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        list(APPEND sanitizer_flags -Wno-tsan) # it does not see Asio's fences, of which g++ warns
    endif()
    if(VMDSL_SANITIZE MATCHES "undefined")
        # To see whether memory can be read it needs a pipe, and complains in tests that leave no descriptor for one.
        list(APPEND sanitizer_flags -fno-sanitize=vptr)
    endif()
    target_compile_options(vmdsl_requirements INTERFACE ${sanitizer_flags})
    target_link_options(vmdsl_requirements INTERFACE ${sanitizer_flags})
endif()

# One translation unit per layer: a change in one layer compiles that layer again, not all of them.
set(vmdsl_sources "")
foreach(layer IN ITEMS core process qemu guest net coverage report author)
    set(folder "${VMDSL_ROOT}/include/vmdsl/${layer}/impl")
    if(layer STREQUAL "author")
        set(folder "${VMDSL_ROOT}/include/vmdsl/impl")
    endif()
    file(GLOB bodies CONFIGURE_DEPENDS "${folder}/*.ipp")
    list(SORT bodies)
    if(NOT bodies)
        continue()
    endif()
    set(text "// Generated: the bodies of layer ${layer}.\n")
    foreach(body IN LISTS bodies)
        cmake_path(RELATIVE_PATH body BASE_DIRECTORY "${VMDSL_ROOT}/include" OUTPUT_VARIABLE name)
        string(APPEND text "#include <${name}>\n")
    endforeach()
    file(CONFIGURE OUTPUT "${CMAKE_CURRENT_BINARY_DIR}/vmdsl_src/${layer}.cpp" CONTENT "${text}" @ONLY)
    list(APPEND vmdsl_sources "${CMAKE_CURRENT_BINARY_DIR}/vmdsl_src/${layer}.cpp")
endforeach()
list(APPEND vmdsl_sources "${VMDSL_ROOT}/src/third_party.cpp")

add_library(vmdsl_compiled STATIC ${vmdsl_sources})
target_include_directories(vmdsl_compiled PRIVATE "${VMDSL_ROOT}/include")
target_compile_definitions(vmdsl_compiled PUBLIC VMDSL_SEPARATE_COMPILATION
    BOOST_ASIO_SEPARATE_COMPILATION)
target_link_libraries(vmdsl_compiled PUBLIC vmdsl_requirements)
target_compile_options(vmdsl_compiled PRIVATE ${VMDSL_WARNINGS})
set_target_properties(vmdsl_compiled PROPERTIES OUTPUT_NAME vmdsl)
set_source_files_properties("${VMDSL_ROOT}/src/third_party.cpp" PROPERTIES COMPILE_OPTIONS "-w")

add_library(vmdsl_vmdsl INTERFACE)
add_library(vmdsl::vmdsl ALIAS vmdsl_vmdsl)
target_include_directories(vmdsl_vmdsl SYSTEM INTERFACE "$<BUILD_INTERFACE:${VMDSL_ROOT}/include>")
target_link_libraries(vmdsl_vmdsl INTERFACE vmdsl_compiled)

add_library(vmdsl_dev INTERFACE)
target_include_directories(vmdsl_dev INTERFACE "${VMDSL_ROOT}/include")
target_link_libraries(vmdsl_dev INTERFACE vmdsl_compiled)
target_compile_options(vmdsl_dev INTERFACE ${VMDSL_WARNINGS})

add_library(vmdsl_header_only INTERFACE)
add_library(vmdsl::header_only ALIAS vmdsl_header_only)
target_include_directories(vmdsl_header_only SYSTEM INTERFACE "$<BUILD_INTERFACE:${VMDSL_ROOT}/include>")
target_link_libraries(vmdsl_header_only INTERFACE vmdsl_requirements)

add_library(vmdsl_main STATIC "${VMDSL_ROOT}/src/main.cpp")
add_library(vmdsl::main ALIAS vmdsl_main)
target_link_libraries(vmdsl_main PUBLIC vmdsl_vmdsl)
