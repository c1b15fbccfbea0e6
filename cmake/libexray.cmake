# libexray: the host's side for applications, plug-ins and bindings.  Of its symbols, those of the public headers are
# visible and no other.
add_library(exray_shared SHARED ${PROJECT_SOURCE_DIR}/cmake/libexray.c)
# Before 1.0 each minor version may change the interface: its library is another one.
set(soversion ${PROJECT_VERSION_MAJOR})
if(PROJECT_VERSION_MAJOR EQUAL 0)
  set(soversion 0.${PROJECT_VERSION_MINOR})
endif()
set_target_properties(exray_shared PROPERTIES OUTPUT_NAME exray EXPORT_NAME libexray VERSION ${PROJECT_VERSION}
  SOVERSION ${soversion} LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}
  LINK_DEPENDS ${PROJECT_SOURCE_DIR}/cmake/libexray.map)
target_include_directories(exray_shared INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(exray_shared PRIVATE exray_options
  -Wl,--whole-archive exray_validate exray_report exray_checks exray_compare exray_tasks exray_media exray_log exray_codecs exray_core
  -Wl,--no-whole-archive)
target_link_options(exray_shared PRIVATE -Wl,--version-script=${PROJECT_SOURCE_DIR}/cmake/libexray.map)
