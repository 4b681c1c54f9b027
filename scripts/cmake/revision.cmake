# Writes adass_revision.h with the version and the revision of the sources; leaves the file alone when it is up to date, so
# that nothing is rebuilt. Run by the target adass_revision_header at every build:
#
#   cmake -DSOURCE_DIR=... -DVERSION=... -DHEADER=... -P scripts/cmake/revision.cmake
set(revision "unknown")
find_package(Git QUIET)
if(GIT_FOUND AND EXISTS "${SOURCE_DIR}/.git")
  execute_process(
    COMMAND "${GIT_EXECUTABLE}" describe --always --dirty --abbrev=12
    WORKING_DIRECTORY "${SOURCE_DIR}"
    OUTPUT_VARIABLE described OUTPUT_STRIP_TRAILING_WHITESPACE
    RESULT_VARIABLE failed ERROR_QUIET)
  if(NOT failed)
    set(revision "${described}")
  endif()
endif()
file(CONFIGURE OUTPUT "${HEADER}" @ONLY CONTENT
[[/* Made by scripts/cmake/revision.cmake. */
#define ADASS_VERSION "@VERSION@"
#define ADASS_REVISION "@revision@"
]])
