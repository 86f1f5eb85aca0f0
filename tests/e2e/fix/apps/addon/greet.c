/* A native addon: the greeting comes from C. */
#include <node_api.h>

static napi_value greet(napi_env env, napi_callback_info info) {
    napi_value text;
    (void)info;
    return napi_create_string_utf8(env, "hello from an addon", NAPI_AUTO_LENGTH, &text) == napi_ok ? text : NULL;
}

NAPI_MODULE_INIT() {
    napi_value function;
    if (napi_create_function(env, "greet", NAPI_AUTO_LENGTH, greet, NULL, &function) != napi_ok)
        return NULL;
    return napi_set_named_property(env, exports, "greet", function) == napi_ok ? exports : NULL;
}
