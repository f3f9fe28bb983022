# cmake --install: headers, the compiled library, the command vmdsl, the guest agent and the image tool, and the files by which
# find_package and pkg-config find them. Nothing in the installed tree names its own place, so it can be moved.
include_guard(GLOBAL)
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(package_folder "${CMAKE_INSTALL_LIBDIR}/cmake/vmdsl")
set(tools_folder "${CMAKE_INSTALL_LIBEXECDIR}/vmdsl")

install(DIRECTORY "${VMDSL_ROOT}/include/vmdsl" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
set_target_properties(vmdsl_vmdsl PROPERTIES EXPORT_NAME vmdsl)
set_target_properties(vmdsl_header_only PROPERTIES EXPORT_NAME header_only)
set_target_properties(vmdsl_main PROPERTIES EXPORT_NAME main)
set_target_properties(vmdsl_agent PROPERTIES EXPORT_NAME agent)
install(TARGETS vmdsl_requirements vmdsl_compiled vmdsl_vmdsl vmdsl_header_only vmdsl_main EXPORT vmdslTargets
    INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(TARGETS vmdsl_agent EXPORT vmdslTargets RUNTIME DESTINATION "${tools_folder}")
set_target_properties(vmdsl_cli PROPERTIES EXPORT_NAME cli)
install(TARGETS vmdsl_cli EXPORT vmdslTargets RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
install(EXPORT vmdslTargets NAMESPACE vmdsl:: DESTINATION "${package_folder}")

# What the CMake functions run. The same tree as tools/ here, so that a tool finds its parts in the same way.
file(GLOB tools CONFIGURE_DEPENDS "${VMDSL_ROOT}/tools/vm-*")
install(PROGRAMS ${tools} DESTINATION "${tools_folder}")
install(DIRECTORY "${VMDSL_ROOT}/tools/image" "${VMDSL_ROOT}/tools/instrumented" DESTINATION "${tools_folder}" USE_SOURCE_PERMISSIONS
    PATTERN __pycache__ EXCLUDE)

file(GLOB modules CONFIGURE_DEPENDS "${CMAKE_CURRENT_LIST_DIR}/AddVm*.cmake")
set(module_names ${modules})
list(TRANSFORM module_names REPLACE "^.*/" "")
configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/vmdslConfig.cmake.in" "${CMAKE_CURRENT_BINARY_DIR}/vmdslConfig.cmake"
    INSTALL_DESTINATION "${package_folder}" PATH_VARS tools_folder)
write_basic_package_version_file("${CMAKE_CURRENT_BINARY_DIR}/vmdslConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES
    "${CMAKE_CURRENT_BINARY_DIR}/vmdslConfig.cmake" "${CMAKE_CURRENT_BINARY_DIR}/vmdslConfigVersion.cmake" ${modules}
    DESTINATION "${package_folder}")

# Paths relative to the installed files' own, also where a folder was configured as an absolute path.
set(pc_folder "${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig")
cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX BASE_DIRECTORY "${pc_folder}" OUTPUT_VARIABLE pc_prefix)
foreach(name IN ITEMS LIBDIR INCLUDEDIR LIBEXECDIR)
    cmake_path(RELATIVE_PATH CMAKE_INSTALL_FULL_${name} BASE_DIRECTORY "${CMAKE_INSTALL_PREFIX}" OUTPUT_VARIABLE pc_${name})
endforeach()
# Boost has no pkg-config file; where the compiler does not look by itself, it is told.
set(pc_boost_flags "")
set(pc_boost_libraries "")
if(NOT Boost_INCLUDE_DIRS IN_LIST CMAKE_CXX_IMPLICIT_INCLUDE_DIRECTORIES)
    set(pc_boost_flags "-I${Boost_INCLUDE_DIRS} ")
endif()
if(NOT Boost_LIBRARY_DIRS IN_LIST CMAKE_CXX_IMPLICIT_LINK_DIRECTORIES)
    set(pc_boost_libraries "-L${Boost_LIBRARY_DIRS} ")
endif()
foreach(name IN ITEMS vmdsl vmdsl-header-only)
    configure_file("${CMAKE_CURRENT_LIST_DIR}/${name}.pc.in" "${CMAKE_CURRENT_BINARY_DIR}/${name}.pc" @ONLY)
    install(FILES "${CMAKE_CURRENT_BINARY_DIR}/${name}.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
endforeach()
