/* The part of XLA's foreign function interface, version 0.3 of xla/ffi/api/c_api.h, that xla.h uses: same names, same
   layout. XLA keeps old versions for a year at least, and refuses a handler whose version it no longer knows. */

typedef struct { size_t struct_size; int type; void *next; } XLA_FFI_Extension_Base;
typedef struct { size_t struct_size; XLA_FFI_Extension_Base *extension_start; int major_version, minor_version; } XLA_FFI_Api_Version;
typedef struct { size_t struct_size; XLA_FFI_Api_Version api_version; uint32_t traits; } XLA_FFI_Metadata;
typedef struct { XLA_FFI_Extension_Base extension_base; XLA_FFI_Metadata *metadata; } XLA_FFI_Metadata_Extension;
typedef struct { size_t struct_size; XLA_FFI_Extension_Base *extension_start; int dtype; void *data; int64_t rank, *dims; } XLA_FFI_Buffer;
typedef struct { int dtype; size_t size; void *data; } XLA_FFI_Array;
typedef struct { size_t struct_size; XLA_FFI_Extension_Base *extension_start; int64_t size; int *types; void **args; } XLA_FFI_Args;
typedef struct { size_t struct_size; XLA_FFI_Extension_Base *extension_start; int64_t size; int *types; void **rets; } XLA_FFI_Rets;
typedef struct { size_t struct_size; XLA_FFI_Extension_Base *extension_start; int64_t size; int *types; void *names; void **attrs; } XLA_FFI_Attrs;
typedef struct XLA_FFI_Error XLA_FFI_Error;
typedef struct { size_t struct_size; XLA_FFI_Extension_Base *extension_start; const char *message; int errc; } XLA_FFI_Error_Create_Args;
typedef struct { size_t struct_size; XLA_FFI_Extension_Base *extension_start; XLA_FFI_Error *error; } XLA_FFI_Error_Destroy_Args;
typedef struct { size_t struct_size; XLA_FFI_Extension_Base *extension_start; void *ctx; void (*task)(void *); void *data; } XLA_FFI_ThreadPool_Schedule_Args;
typedef struct {
    size_t struct_size;
    XLA_FFI_Extension_Base *extension_start;
    XLA_FFI_Api_Version api_version;
    const void *internal_api;
    XLA_FFI_Error *(*Error_Create)(XLA_FFI_Error_Create_Args *);
    void *Error_GetMessage;
    void (*Error_Destroy)(XLA_FFI_Error_Destroy_Args *);
    void *between[8]; /* Handler_Register to DeviceMemory_Free */
    XLA_FFI_Error *(*ThreadPool_Schedule)(XLA_FFI_ThreadPool_Schedule_Args *);
} XLA_FFI_Api;
typedef struct {
    size_t struct_size;
    XLA_FFI_Extension_Base *extension_start;
    const XLA_FFI_Api *api;
    void *ctx;
    int stage;
    XLA_FFI_Args args;
    XLA_FFI_Rets rets;
    XLA_FFI_Attrs attrs;
} XLA_FFI_CallFrame;

enum { XLA_FFI_MAJOR = 0, XLA_FFI_MINOR = 3, XLA_FFI_METADATA = 1, XLA_FFI_EXECUTE = 3, XLA_FFI_INTERNAL = 13 };
