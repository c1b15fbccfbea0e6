# Files, one after another, as a C array: cmake "-DIN=file;file" -DOUT=file.c -DNAME=xr_name -P embed.cmake defines
#   const unsigned char xr_name[]; const size_t xr_name_size;
set(bytes "")
foreach(file ${IN})
  file(READ "${file}" more HEX)
  string(APPEND bytes "${more}")
endforeach()
string(LENGTH "${bytes}" digits)
math(EXPR size "${digits} / 2")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
string(REGEX REPLACE "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)" "\\1\n" bytes "${bytes}")
get_filename_component(file "${OUT}" NAME_WE)
file(WRITE "${OUT}" "/* ${file}, by cmake/embed.cmake. */
#include <stddef.h>
extern const unsigned char ${NAME}[];
extern const size_t ${NAME}_size;
const unsigned char ${NAME}[] = {
${bytes}
};
const size_t ${NAME}_size = ${size};
")
