#include <Python.h>

static PyObject *greet(PyObject *self, PyObject *args) {
    (void)self;
    (void)args;
    return PyUnicode_FromString("hello from an extension");
}

static PyMethodDef methods[] = {{"greet", greet, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_native", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__native(void) { return PyModule_Create(&module); }
