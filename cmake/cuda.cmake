# The CUDA backend: libpydl_cuda.so by nvcc, and libpydl_cuda_emulated.so, the same sources built by the C++
# compiler against an emulator, for tests on machines without a GPU.
set(PYDL_CUDA AUTO CACHE STRING "Build the CUDA backend: ON, OFF, or AUTO (where there is a compiler and a GPU)")
set(PYDL_CUDA_ARCHITECTURES "80;90a" CACHE STRING "GPU architectures to build the CUDA backend for")
option(PYDL_CUDA_EMULATED "Build the CUDA backend for the emulator" OFF)

file(GLOB_RECURSE CUDA_SOURCES CONFIGURE_DEPENDS csrc/cuda/*.cu)

set(build_cuda ${PYDL_CUDA})
if(PYDL_CUDA STREQUAL "AUTO")
  set(build_cuda OFF)
  if(EXISTS /dev/nvidiactl)
    include(CheckLanguage)
    check_language(CUDA)
    if(CMAKE_CUDA_COMPILER)
      set(build_cuda ON)
    endif()
  endif()
endif()

if(build_cuda)
  set(CMAKE_CUDA_ARCHITECTURES ${PYDL_CUDA_ARCHITECTURES})
  enable_language(CUDA)
  set(CMAKE_CUDA_STANDARD 17)
  set(CMAKE_CUDA_FLAGS_RELEASE "-O3")
  set_source_files_properties(${CUDA_SOURCES} PROPERTIES LANGUAGE CUDA)
  # Products must not be fused with sums here: the numbers are those of the CPU.
  set_source_files_properties(csrc/cuda/kernels/creation.cu csrc/cuda/kernels/random.cu
                              PROPERTIES COMPILE_OPTIONS -fmad=false)
  add_library(pydl_cuda SHARED ${CUDA_SOURCES})
  set_target_properties(pydl_cuda PROPERTIES CUDA_RUNTIME_LIBRARY Static CUDA_VISIBILITY_PRESET hidden
                                             VISIBILITY_INLINES_HIDDEN ON)
  target_compile_options(pydl_cuda PRIVATE -Xcompiler=-Wall,-Wextra,-Wno-unused-function
                                           -diag-suppress=177)  # headers offer more than a file uses
  target_include_directories(pydl_cuda PRIVATE csrc csrc/include)
endif()

if(PYDL_CUDA_EMULATED)
  set(emulator csrc/tests/cuda_emulator)
  file(GLOB EMULATOR_SOURCES CONFIGURE_DEPENDS ${emulator}/*.cpp)
  list(FILTER EMULATOR_SOURCES EXCLUDE REGEX "/shared_(begin|end)\\.cpp$")  # linked around the kernels
  add_library(cuda_emulator OBJECT ${EMULATOR_SOURCES})
  target_include_directories(cuda_emulator PUBLIC ${emulator}/include csrc/tests csrc csrc/include)
  target_compile_features(cuda_emulator PUBLIC cxx_std_20)
  set_target_properties(cuda_emulator PROPERTIES CXX_VISIBILITY_PRESET default)  # for extensions' kernels
  target_compile_definitions(cuda_emulator PUBLIC PYDL_CUDA_EMULATED)
  target_compile_options(cuda_emulator PUBLIC -Wno-psabi -Wno-unknown-pragmas -Wno-unused-function)
  if(PYDL_SANITIZE MATCHES "thread")  # which is to look at the kernels only
    target_compile_options(cuda_emulator PRIVATE -fno-sanitize=thread)
    target_compile_definitions(cuda_emulator PRIVATE PYDL_THREAD_SANITIZER)
  endif()

  # A language may be set for a file or not at all, and libpydl_cuda.so may want the same file from nvcc.
  foreach(source IN LISTS CUDA_SOURCES)
    file(RELATIVE_PATH name ${CMAKE_SOURCE_DIR}/csrc/cuda ${source})
    set(copy ${CMAKE_BINARY_DIR}/emulated/${name}.cpp)
    file(CONFIGURE OUTPUT ${copy} CONTENT "#include \"cuda/${name}\"\n" @ONLY)
    list(APPEND EMULATED_SOURCES ${copy})
  endforeach()
  add_library(pydl_cuda_emulated SHARED ${emulator}/shared_begin.cpp ${EMULATED_SOURCES}
                                        ${emulator}/shared_end.cpp)
  target_compile_options(pydl_cuda_emulated PRIVATE -O1)
  target_link_libraries(pydl_cuda_emulated PRIVATE cuda_emulator Threads::Threads)
  if(PYDL_TESTS)
    add_executable(test_cuda_emulator ${emulator}/shared_begin.cpp csrc/tests/test_cuda_emulator.cpp
                                      ${emulator}/shared_end.cpp)
    target_link_libraries(test_cuda_emulator PRIVATE cuda_emulator Threads::Threads)
  endif()
endif()

foreach(backend pydl_cuda pydl_cuda_emulated)
  if(TARGET ${backend})
    target_link_options(${backend} PRIVATE -Wl,--no-undefined)
    install(TARGETS ${backend} LIBRARY DESTINATION pydl)
  endif()
endforeach()
