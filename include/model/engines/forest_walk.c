/* The Python extension nightjar_walk: walks the trees of a forest for one row or for many.
 *
 * include/model/engines/native_form.py describes the arrays, and has checked them: every index is within its array, and a
 * path is never longer than its depth. A step has no branch that depends on data, and LANES trees are walked at a time, so
 * that the processor waits for many nodes at once.
 */
#define Py_LIMITED_API 0x030C0000
#include <Python.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#define LANES 16
#define MAX_FEATURES 128
#define MAX_TREES 10000

typedef struct {
    float split;   /* a leaf: NaN, with the index of its value in the low bits */
    uint32_t next; /* 24 bits: the true child, followed by the false one (a leaf: itself); 1: where NaN goes; 7: feature */
} Node;

enum { NODES, VALUES, ROOTS, DEPTHS, PLACES, LARGEST, BUFFERS };

typedef struct {
    PyObject_HEAD
    Py_buffer buffers[BUFFERS];
    Py_ssize_t trees, groups, features;
    int missing; /* whether NaN is accepted */
} Forest;

static inline double leaf_value(const Node *node, const double *values)
{
    uint32_t bits;
    memcpy(&bits, &node->split, sizeof bits);
    return values[bits & 0x3fffff];
}

/* The mean of the trees' values, added in the order of scikit-learn: PLACES has each tree's place in it. */
static inline double walk(const Forest *forest, const float *row, int has_nan)
{
    const Node *nodes = forest->buffers[NODES].buf;
    const double *values = forest->buffers[VALUES].buf;
    const uint32_t *roots = forest->buffers[ROOTS].buf, *depths = forest->buffers[DEPTHS].buf;
    const uint32_t *places = forest->buffers[PLACES].buf;
    double found[MAX_TREES + LANES], sum = 0.0;
    for (Py_ssize_t group = 0; group < forest->groups; group++) {
        uint32_t at[LANES];
        memcpy(at, roots + group * LANES, sizeof at);
        for (uint32_t depth = depths[group]; depth; depth--)
            for (int lane = 0; lane < LANES; lane++) {
                Node node = nodes[at[lane]];
                float value = row[node.next & 0x7f];
                uint32_t is_false = value > node.split;
                if (has_nan)
                    is_false |= (value != value) & (node.next >> 7 & 1);
                at[lane] = (node.next >> 8) + is_false;
            }
        for (int lane = 0; lane < LANES; lane++)
            found[places[group * LANES + lane]] = leaf_value(nodes + at[lane], values);
    }
    for (Py_ssize_t tree = 0; tree < forest->trees; tree++)
        sum += found[tree];
    return sum / (double)forest->trees;
}

static double probability(const Forest *forest, const float *row, int has_nan)
{
    return has_nan ? walk(forest, row, 1) : walk(forest, row, 0);
}

static PyObject *forest_one(PyObject *self, PyObject *list)
{
    Forest *forest = (Forest *)self;
    const double *largest = forest->buffers[LARGEST].buf;
    float row[MAX_FEATURES];
    int has_nan = 0;
    if (!PyList_Check(list) || PyList_Size(list) != forest->features)
        Py_RETURN_NONE;
    for (Py_ssize_t index = 0; index < forest->features; index++) {
        double value = PyFloat_AsDouble(PyList_GetItem(list, index));
        if (value == -1.0 && PyErr_Occurred())
            return NULL;
        if (isnan(value) && forest->missing)
            has_nan = 1;
        else if (!(fabs(value) <= largest[index]))
            Py_RETURN_NONE;
        row[index] = (float)value;
    }
    return PyFloat_FromDouble(probability(forest, row, has_nan));
}

static PyObject *forest_many(PyObject *self, PyObject *args)
{
    Forest *forest = (Forest *)self;
    Py_buffer matrix, answers;
    if (!PyArg_ParseTuple(args, "y*w*", &matrix, &answers))
        return NULL;
    Py_ssize_t rows = answers.len / (Py_ssize_t)sizeof(double), features = forest->features;
    int fits = matrix.len == rows * features * (Py_ssize_t)sizeof(double);
    if (fits) {
        const double *values = matrix.buf;
        double *answer = answers.buf;
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t number = 0; number < rows; number++) {
            float row[MAX_FEATURES];
            int has_nan = 0;
            for (Py_ssize_t index = 0; index < features; index++) {
                row[index] = (float)values[number * features + index];
                has_nan |= isnan(row[index]);
            }
            answer[number] = probability(forest, row, has_nan);
        }
        Py_END_ALLOW_THREADS
    }
    PyBuffer_Release(&matrix);
    PyBuffer_Release(&answers);
    if (!fits)
        return PyErr_Format(PyExc_ValueError, "the matrix must have %zd columns, and one row for each answer", features);
    Py_RETURN_NONE;
}

static PyObject *forest_new(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(keywords))
{
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    Forest *forest = (Forest *)allocate(type, 0);
    if (forest == NULL)
        return NULL;
    Py_buffer *buffers = forest->buffers;
    if (!PyArg_ParseTuple(args, "y*y*y*y*y*y*np", buffers, buffers + 1, buffers + 2, buffers + 3, buffers + 4, buffers + 5,
                          &forest->trees, &forest->missing)) {
        Py_DECREF(forest);
        return NULL;
    }
    forest->groups = buffers[DEPTHS].len / (Py_ssize_t)sizeof(uint32_t);
    forest->features = buffers[LARGEST].len / (Py_ssize_t)sizeof(double);
    Py_ssize_t places = forest->groups * LANES * (Py_ssize_t)sizeof(uint32_t);
    if (forest->features > MAX_FEATURES || forest->trees > MAX_TREES || buffers[ROOTS].len != places ||
        buffers[PLACES].len != places) {
        PyErr_SetString(PyExc_ValueError, "too many features or trees, or not LANES trees for each group");
        Py_DECREF(forest);
        return NULL;
    }
    return (PyObject *)forest;
}

static void forest_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    for (int index = 0; index < BUFFERS; index++)
        PyBuffer_Release(&((Forest *)self)->buffers[index]);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

static PyMethodDef forest_methods[] = {
    {"one", forest_one, METH_O, "one(row): the probability of a list of floats; None for a row that is not accepted."},
    {"many", forest_many, METH_VARARGS, "many(matrix, answers): writes the probability of each row, without the GIL."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot forest_slots[] = {
    {Py_tp_new, forest_new},
    {Py_tp_dealloc, forest_dealloc},
    {Py_tp_methods, forest_methods},
    {Py_tp_doc, "Forest(nodes, values, roots, depths, places, largest, trees, missing)"},
    {0, NULL},
};

static PyType_Spec forest_spec = {"nightjar_walk.Forest", sizeof(Forest), 0, Py_TPFLAGS_DEFAULT, forest_slots};

static int module_exec(PyObject *module)
{
    PyObject *type = PyType_FromSpec(&forest_spec);
    if (type == NULL || PyModule_AddIntConstant(module, "LANES", LANES) < 0)
        return -1;
    int failed = PyModule_AddObjectRef(module, "Forest", type);
    Py_DECREF(type);
    return failed;
}

static PyModuleDef_Slot module_slots[] = {{Py_mod_exec, module_exec}, {0, NULL}};

static PyModuleDef module_definition = {PyModuleDef_HEAD_INIT, "nightjar_walk", NULL, 0, NULL, module_slots, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_nightjar_walk(void)
{
    return PyModuleDef_Init(&module_definition);
}
