/* A driver's library for tests: as many GPUs as the file named by NVML_STATE has lines.
   Each line: temperature, percent busy, bytes used, bytes in all, uncorrected errors, lost (0 or 1),
   Xid of an event that is told once (0 for none). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST 16
enum { OK = 0, INVALID = 2, UNSUPPORTED = 3, TIMEOUT = 10, LOST = 15 };

typedef struct { long number; } gpu_t;
typedef struct { int temperature, percent; unsigned long long used, total, errors; int lost, xid; } state_t;
typedef struct { gpu_t *device; unsigned long long type, data; unsigned int gpu, compute; } event_t;

static gpu_t gpus[MOST];
static int told[MOST];

static int count(state_t *states) {
    FILE *file = fopen(getenv("NVML_STATE"), "r");
    int found = 0;
    if (!file) return 0;
    while (found < MOST) {
        state_t *s = &states[found];
        if (fscanf(file, "%d %d %llu %llu %llu %d %d", &s->temperature, &s->percent, &s->used,
                   &s->total, &s->errors, &s->lost, &s->xid) != 7) break;
        gpus[found].number = found;
        found++;
    }
    fclose(file);
    return found;
}

static int look(gpu_t *gpu, state_t *state) {
    state_t states[MOST];
    count(states);
    *state = states[gpu->number];
    return state->lost ? LOST : OK;
}

int nvmlInitWithFlags(unsigned int flags) { return OK; }
int nvmlShutdown(void) { return OK; }

int nvmlDeviceGetHandleByIndex_v2(unsigned int index, gpu_t **gpu) {
    state_t states[MOST];
    if ((int)index >= count(states)) return INVALID;
    *gpu = &gpus[index];
    return OK;
}

int nvmlDeviceGetName(gpu_t *gpu, char *name, unsigned int size) {
    state_t state;
    snprintf(name, size, "NVIDIA Test %ld", gpu->number);
    return look(gpu, &state);
}

int nvmlDeviceGetUUID(gpu_t *gpu, char *name, unsigned int size) {
    state_t state;
    snprintf(name, size, "GPU-%ld", gpu->number);
    return look(gpu, &state);
}

int nvmlDeviceGetMemoryInfo(gpu_t *gpu, unsigned long long *memory) {
    state_t state;
    int result = look(gpu, &state);
    memory[0] = state.total, memory[1] = state.total - state.used, memory[2] = state.used;
    return result;
}

int nvmlDeviceGetUtilizationRates(gpu_t *gpu, unsigned int *rates) {
    state_t state;
    int result = look(gpu, &state);
    rates[0] = state.percent, rates[1] = 0;
    return result;
}

int nvmlDeviceGetTemperature(gpu_t *gpu, int sensor, unsigned int *temperature) {
    state_t state;
    int result = look(gpu, &state);
    *temperature = state.temperature;
    return result;
}

int nvmlDeviceGetTotalEccErrors(gpu_t *gpu, int kind, int counter, unsigned long long *errors) {
    state_t state;
    int result = look(gpu, &state);
    *errors = state.errors;
    return result == OK && gpu->number == 0 ? UNSUPPORTED : result;
}

int nvmlEventSetCreate(void **set) { *set = told; return OK; }
int nvmlEventSetFree(void *set) { return OK; }
int nvmlDeviceRegisterEvents(gpu_t *gpu, unsigned long long kinds, void *set) { return OK; }

int nvmlEventSetWait_v2(void *set, event_t *event, unsigned int timeout) {
    state_t states[MOST];
    int found = count(states);
    for (int number = 0; number < found; number++) {
        if (states[number].xid == told[number]) continue;
        told[number] = states[number].xid;
        memset(event, 0, sizeof *event);
        event->device = &gpus[number], event->type = 8, event->data = states[number].xid;
        return OK;
    }
    return TIMEOUT;
}
