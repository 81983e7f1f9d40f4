#include "CTensorKernels.h"

static _Thread_local void *slot;

void *tk_thread_slot(void) { return slot; }
void tk_set_thread_slot(void *value) { slot = value; }
