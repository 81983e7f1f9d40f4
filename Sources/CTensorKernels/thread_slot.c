#include "CTensorKernels.h"

static _Thread_local void *slots[TK_THREAD_SLOTS];

void *tk_thread_slot(tk_slot slot) { return slots[slot]; }
void tk_set_thread_slot(tk_slot slot, void *value) { slots[slot] = value; }
