# What others link: targets exray::..., the same within another project as from an installed package; and what
# `make install` puts where: headers, archives, libexray, the program, the CMake package, pkg-config files.
#
# Every public header belongs to one of these lists; tests/end_to_end/test_install.py builds a program for each.
set(EXRAY_DEVICE_TARGETS exray_core exray_models exray_taps exray_tflite exray_litert exray_ort)
set(EXRAY_DEVICE_HEADERS exray.h flight.h link.h recorder.h types.h tflite.h litert.h onnxruntime.h)
set(EXRAY_HOST_HEADERS assertion.h codecs.h log.h picture.h sound.h task.h text.h validate.h)

foreach(target IN LISTS EXRAY_DEVICE_TARGETS)
  add_library(exray::${target} ALIAS ${target})
endforeach()
if(EXRAY_BUILD_HOST)
  add_library(exray::exray_codecs ALIAS exray_codecs)
  add_library(exray::libexray ALIAS exray_shared)
endif()
if(NOT EXRAY_INSTALL)
  return()
endif()

# ---- Headers and libraries ----
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/exray)
list(TRANSFORM EXRAY_DEVICE_HEADERS PREPEND include/exray/ OUTPUT_VARIABLE headers)
install(FILES ${headers} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/exray)
install(TARGETS ${EXRAY_DEVICE_TARGETS} EXPORT exray ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT exray NAMESPACE exray:: FILE exray-targets.cmake DESTINATION ${package})
if(EXRAY_BUILD_HOST)
  list(TRANSFORM EXRAY_HOST_HEADERS PREPEND include/exray/ OUTPUT_VARIABLE headers)
  install(FILES ${headers} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/exray)
  install(TARGETS exray RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  install(TARGETS exray_shared EXPORT exray-host LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(EXPORT exray-host NAMESPACE exray:: FILE exray-host-targets.cmake DESTINATION ${package})
  # A set of its own: it alone needs other libraries.
  install(TARGETS exray_codecs EXPORT exray-codecs ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(EXPORT exray-codecs NAMESPACE exray:: FILE exray-codecs-targets.cmake DESTINATION ${package})
endif()

# ---- find_package(exray), pkg-config ----
include(CMakePackageConfigHelpers)
configure_package_config_file(cmake/exray-config.cmake.in ${PROJECT_BINARY_DIR}/exray-config.cmake
  INSTALL_DESTINATION ${package})
set(compatible SameMajorVersion)
if(PROJECT_VERSION_MAJOR EQUAL 0)
  set(compatible SameMinorVersion)
endif()
write_basic_package_version_file(${PROJECT_BINARY_DIR}/exray-config-version.cmake COMPATIBILITY ${compatible})
install(FILES ${PROJECT_BINARY_DIR}/exray-config.cmake ${PROJECT_BINARY_DIR}/exray-config-version.cmake
  DESTINATION ${package})
file(RELATIVE_PATH EXRAY_PC_PREFIX ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
set(names exray)
if(EXRAY_BUILD_HOST)
  list(APPEND names libexray exray-codecs)
endif()
foreach(name IN LISTS names)
  configure_file(cmake/${name}.pc.in ${PROJECT_BINARY_DIR}/${name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()

# ---- What the program has beside it ----
if(NOT EXRAY_BUILD_HOST)
  return()
endif()
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
