# Headers, the libraries a device links, the host library, the program, a
# CMake package (find_package(exray)) and pkg-config files.

# libexray: the host side for plug-ins and bindings; hidden symbols but the
# public headers' ones.
add_library(exray_shared SHARED ${PROJECT_SOURCE_DIR}/cmake/libexray.c)
set_target_properties(exray_shared PROPERTIES OUTPUT_NAME exray VERSION ${PROJECT_VERSION} SOVERSION 0
  LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
target_link_libraries(exray_shared PRIVATE
  -Wl,--whole-archive exray_validate exray_report exray_checks exray_compare exray_media exray_log exray_codecs exray_core
  -Wl,--no-whole-archive)
target_link_options(exray_shared PRIVATE -Wl,--version-script=${PROJECT_SOURCE_DIR}/cmake/libexray.map)
set_target_properties(exray_shared PROPERTIES LINK_DEPENDS ${PROJECT_SOURCE_DIR}/cmake/libexray.map)

install(DIRECTORY include/exray DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(TARGETS exray RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS exray_shared LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS exray_core exray_models exray_taps exray_tflite exray_litert exray_ort EXPORT exray
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT exray NAMESPACE exray:: FILE exray-targets.cmake DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/exray)
include(CMakePackageConfigHelpers)
configure_package_config_file(cmake/exray-config.cmake.in ${PROJECT_BINARY_DIR}/exray-config.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/exray)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/exray-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/exray-config.cmake ${PROJECT_BINARY_DIR}/exray-config-version.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/exray)
file(RELATIVE_PATH EXRAY_PC_PREFIX ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
configure_file(cmake/exray.pc.in ${PROJECT_BINARY_DIR}/exray.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/exray.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
# Manual pages and completions, which the program prints itself (not across machines).
if(NOT CMAKE_CROSSCOMPILING)
  set(EXRAY_TEXTS ${PROJECT_BINARY_DIR}/share)
  add_custom_command(OUTPUT ${EXRAY_TEXTS}/done
    COMMAND ${CMAKE_COMMAND} -DEXRAY=$<TARGET_FILE:exray> -DOUT=${EXRAY_TEXTS}
      -P ${PROJECT_SOURCE_DIR}/cmake/texts.cmake
    DEPENDS exray ${PROJECT_SOURCE_DIR}/cmake/texts.cmake VERBATIM)
  add_custom_target(exray_texts ALL DEPENDS ${EXRAY_TEXTS}/done)
  install(DIRECTORY ${EXRAY_TEXTS}/man1 DESTINATION ${CMAKE_INSTALL_MANDIR})
  install(FILES ${EXRAY_TEXTS}/exray.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME exray)
  install(FILES ${EXRAY_TEXTS}/_exray DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
  install(FILES ${EXRAY_TEXTS}/exray.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
endif()
# An engine that was fetched travels with the program (lib/exray/engines).
if(EXISTS ${PROJECT_BINARY_DIR}/engines)
  install(DIRECTORY ${PROJECT_BINARY_DIR}/engines DESTINATION ${CMAKE_INSTALL_LIBDIR}/exray)
endif()
