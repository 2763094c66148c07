/* The part of XLA's foreign function interface, version 0.3 of xla/ffi/api/c_api.h, that xla.h uses, with the same
   names and layout; a test compares it with the header that jaxlib ships. XLA supports old versions for a year at
   least, and refuses a handler whose version it no longer supports. A struct_size is the size of the struct in its
   writer's version. */

enum { XLA_FFI_MAJOR = 0, XLA_FFI_MINOR = 3 };
enum { XLA_FFI_METADATA = 1 };                                                                   /* extensions */
enum { XLA_FFI_EXECUTE = 3 };                                                                    /* stages */
enum { XLA_FFI_INVALID = 3, XLA_FFI_EXHAUSTED = 8, XLA_FFI_UNIMPLEMENTED = 12 };                 /* errors */
enum { XLA_FFI_PRED = 1 };
enum { XLA_FFI_S8 = 2, XLA_FFI_S16, XLA_FFI_S32, XLA_FFI_S64, XLA_FFI_U8, XLA_FFI_U16, XLA_FFI_U32, XLA_FFI_U64 };
enum { XLA_FFI_F32 = 11, XLA_FFI_F64 = 12, XLA_FFI_C64 = 15, XLA_FFI_C128 = 18 };

typedef struct { size_t struct_size; int type; void *next; } XLA_FFI_Extension_Base;
#define XLA_FFI_HEAD size_t struct_size; XLA_FFI_Extension_Base *extension_start

typedef struct { XLA_FFI_HEAD; int major_version, minor_version; } XLA_FFI_Api_Version;
typedef struct { size_t struct_size; XLA_FFI_Api_Version api_version; } XLA_FFI_Metadata;
typedef struct { XLA_FFI_Extension_Base extension_base; XLA_FFI_Metadata *metadata; } XLA_FFI_Metadata_Extension;
typedef struct { XLA_FFI_HEAD; int dtype; void *data; int64_t rank, *dims; } XLA_FFI_Buffer;
typedef struct { int dtype; size_t size; void *data; } XLA_FFI_Array;
typedef struct { XLA_FFI_HEAD; int64_t size; int *types; void **args; } XLA_FFI_Args;
typedef struct { XLA_FFI_HEAD; int64_t size; int *types; void **rets; } XLA_FFI_Rets;
typedef struct { XLA_FFI_HEAD; int64_t size; int *types; void *names; void **attrs; } XLA_FFI_Attrs;
typedef struct XLA_FFI_Error XLA_FFI_Error;
typedef struct { XLA_FFI_HEAD; const char *message; int errc; } XLA_FFI_Error_Create_Args;
typedef struct { XLA_FFI_HEAD; XLA_FFI_Error *error; } XLA_FFI_Error_Destroy_Args;
typedef struct { XLA_FFI_HEAD; void *ctx; void (*task)(void *); void *data; } XLA_FFI_ThreadPool_Schedule_Args;
typedef struct {
    XLA_FFI_HEAD;
    XLA_FFI_Api_Version api_version;
    const void *internal_api;
    XLA_FFI_Error *(*XLA_FFI_Error_Create)(XLA_FFI_Error_Create_Args *);
    void *XLA_FFI_Error_GetMessage;
    void (*XLA_FFI_Error_Destroy)(XLA_FFI_Error_Destroy_Args *);
    void *XLA_FFI_Handler_Register; /* and six more */
    void *between[7];
    XLA_FFI_Error *(*XLA_FFI_ThreadPool_Schedule)(XLA_FFI_ThreadPool_Schedule_Args *);
} XLA_FFI_Api;
typedef struct {
    XLA_FFI_HEAD;
    const XLA_FFI_Api *api;
    void *ctx;
    int stage;
    XLA_FFI_Args args;
    XLA_FFI_Rets rets;
    XLA_FFI_Attrs attrs;
} XLA_FFI_CallFrame;

/* Bytes of a struct up to the end of a field. */
#define XLA_FFI_THROUGH(type, field) (offsetof(type, field) + sizeof(((type *)0)->field))
#if UINTPTR_MAX == UINT64_MAX
_Static_assert(offsetof(XLA_FFI_Metadata_Extension, metadata) == 24, "as in XLA's header");
_Static_assert(XLA_FFI_THROUGH(XLA_FFI_Metadata, api_version) == 32, "as in XLA's header");
_Static_assert(offsetof(XLA_FFI_Buffer, dims) == 40, "as in XLA's header");
_Static_assert(offsetof(XLA_FFI_Array, data) == 16, "as in XLA's header");
_Static_assert(offsetof(XLA_FFI_Args, args) == 32, "as in XLA's header");
_Static_assert(offsetof(XLA_FFI_Rets, rets) == 32, "as in XLA's header");
_Static_assert(offsetof(XLA_FFI_Attrs, attrs) == 40, "as in XLA's header");
_Static_assert(offsetof(XLA_FFI_ThreadPool_Schedule_Args, data) == 32, "as in XLA's header");
_Static_assert(offsetof(XLA_FFI_Api, XLA_FFI_Error_Create) == 48, "as in XLA's header");
_Static_assert(offsetof(XLA_FFI_Api, XLA_FFI_ThreadPool_Schedule) == 136, "as in XLA's header");
_Static_assert(offsetof(XLA_FFI_CallFrame, args) == 40, "as in XLA's header");
_Static_assert(XLA_FFI_THROUGH(XLA_FFI_CallFrame, attrs) == 168, "as in XLA's header");
#endif
