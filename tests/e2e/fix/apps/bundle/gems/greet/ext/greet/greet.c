#include <ruby.h>
#include <sqlite3.h>

static VALUE version(VALUE self) {
    return rb_str_new_cstr(sqlite3_libversion());
}

void Init_greet(void) {
    rb_define_singleton_method(rb_define_module("Greet"), "version", version, 0);
}
