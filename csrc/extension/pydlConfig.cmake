# find_package(pydl CONFIG) for extensions. Get this folder from `python -m pydl.extension cmake`.
#
#   pydl_add_extension(mine src/mine.cpp [src/mine.cu])   a shared library mine.so, ready to load
get_filename_component(_pydl_include "${CMAKE_CURRENT_LIST_DIR}/../include" ABSOLUTE)

if(NOT TARGET pydl::headers)
  add_library(pydl::headers INTERFACE IMPORTED)
  target_include_directories(pydl::headers INTERFACE "${_pydl_include}")
  target_compile_features(pydl::headers INTERFACE cxx_std_17)
endif()

function(pydl_add_extension name)
  add_library(${name} MODULE ${ARGN})
  target_link_libraries(${name} PRIVATE pydl::headers)
  set_target_properties(${name} PROPERTIES PREFIX "" SUFFIX ".so" CXX_VISIBILITY_PRESET hidden
                                           CUDA_RUNTIME_LIBRARY Static)
endfunction()
