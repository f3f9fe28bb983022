# The programs that vmdsl builds for itself, and where the image tool is.
include_guard(GLOBAL)

add_subdirectory("${VMDSL_ROOT}/tools/agent" "${CMAKE_CURRENT_BINARY_DIR}/vmdsl-agent")
set(VMDSL_TOOLS_FOLDER "${VMDSL_ROOT}/tools" CACHE INTERNAL "")
