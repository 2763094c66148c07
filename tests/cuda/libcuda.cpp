/* A library of the name `libcuda.so.1` that has no device: each call writes one line, as `cuda.bindings` made it.

   Compile it with -DJOB_BYTES=... and -Wl,-soname,libcuda.so.1, and load it before `cuda.bindings`. */
#include <cstdio>
#include <cstring>

typedef void *handle;
static handle current = nullptr;

static int not_supported() { return 801; }

static int get_current(handle *context)
{
    *context = current;
    return 0;
}

static int set_current(handle context)
{
    current = context;
    return 0;
}

static int get_device(int *device, int number)
{
    *device = 100 + number;
    return 0;
}

static int retain_context(handle *context, int device)
{
    *context = (handle)(long)(1000 + device);
    return 0;
}

static int load(handle *module, const void *image)
{
    printf("load in %ld: %.3s\n", (long)current, (const char *)image + 1);
    *module = (handle)7;
    return 0;
}

static int get_function(handle *function, handle module, const char *name)
{
    printf("function of %ld: %s\n", (long)module, name);
    *function = (handle)8;
    return 0;
}

static int launch(handle function, unsigned x, unsigned y, unsigned z, unsigned threads_x, unsigned threads_y,
                  unsigned threads_z, unsigned shared, handle stream, void **parameters, void **extra)
{
    printf("launch %ld: %u %u %u, %u %u %u, %u, stream %ld, %d, ", (long)function, x, y, z, threads_x, threads_y,
           threads_z, shared, (long)stream, extra != nullptr);
    for (int i = 0; i < JOB_BYTES; ++i) printf("%02x", ((const unsigned char *)parameters[0])[i]);
    printf("\n");
    fflush(stdout);
    return x == 13 ? 700 : 0; /* CUDA_ERROR_ILLEGAL_ADDRESS */
}

static const struct { const char *name; void *function; } FUNCTIONS[] = {
    {"cuCtxGetCurrent", (void *)get_current},   {"cuCtxSetCurrent", (void *)set_current},
    {"cuDeviceGet", (void *)get_device},        {"cuDevicePrimaryCtxRetain", (void *)retain_context},
    {"cuModuleLoadData", (void *)load},         {"cuModuleGetFunction", (void *)get_function},
    {"cuLaunchKernel", (void *)launch},
};

extern "C" int cuGetProcAddress_v2(const char *name, void **function, int, unsigned long long, void *)
{
    *function = (void *)not_supported;
    for (const auto &each : FUNCTIONS)
        if (!strcmp(each.name, name)) *function = each.function;
    return 0;
}
