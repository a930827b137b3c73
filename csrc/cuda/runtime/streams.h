// Streams, events and graphs.
#pragma once

#include "pydl/backend.h"

namespace pydl::cuda {

PydlStatus synchronize(int32_t device);
PydlStatus synchronize_stream(int32_t device, void* stream);

PydlStatus create_stream(int32_t device, void** stream);
void destroy_stream(int32_t device, void* stream);
PydlStatus create_event(int32_t device, void** event);
void destroy_event(int32_t device, void* event);
PydlStatus record_event(void* event, void* stream);
PydlStatus wait_event(void* stream, void* event);
PydlStatus event_done(void* event, int32_t* done);
PydlStatus synchronize_event(void* event);
PydlStatus elapsed_ms(void* start, void* end, float* milliseconds);

PydlStatus begin_capture(int32_t device, void* stream);
PydlStatus end_capture(int32_t device, void* stream, void** graph);
PydlStatus launch_graph(int32_t device, void* graph, void* stream);
void destroy_graph(int32_t device, void* graph);

}  // namespace pydl::cuda
