/* The Python extension nightjar_walk: walks the trees of a forest, or boosted trees, for one row or for many.
 *
 * native_form.py and boosted_form.py describe the arrays, and have checked them: every index is within its array, and a path is
 * never longer than its depth. A step has no branch that depends on data, and LANES trees are walked at a time, so that the
 * processor waits for many nodes at once.
 */
#define Py_LIMITED_API 0x030C0000
#include <Python.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#define LANES 16
#define MAX_FEATURES 128
#define MAX_TREES 10000
#define MAX_COLUMNS 16384

typedef struct {
    float split;   /* a leaf: NaN, with the index of its value in the low bits */
    uint32_t next; /* 24 bits: the true child, followed by the false one (a leaf: itself); 1: where NaN goes; 7: feature */
} Node;

typedef struct {
    uint32_t next;   /* the true child, followed by the false one (a leaf: itself) */
    uint16_t column; /* of the row of bytes that is made of the features */
    uint16_t rank;   /* the largest byte for which the split is true (a leaf: one that no byte exceeds) */
} BoostedNode;

typedef struct {
    uint32_t cuts;  /* they divide the feature's values into intervals; a missing value has one more */
    uint32_t words; /* what a value becomes: so many words of the table, which has them for each interval */
} Feature;

enum { NODES, VALUES, ROOTS, DEPTHS, PLACES, LARGEST, FEATURES, CUTS, TABLE, BUFFERS };
typedef enum { NUMBERS, NUMBERS_AND_NAN, BYTES } RowForm;

typedef struct {
    PyObject_HEAD
    Py_buffer buffers[BUFFERS]; /* from FEATURES on: boosted trees only */
    Py_ssize_t trees, groups, features;
    double offset;
    int missing; /* whether NaN is accepted */
    int single;  /* whether the sum and the probability are computed in float32, as XGBoost does */
} Forest;

static inline uint32_t forest_step(const Node *nodes, uint32_t at, const float *row, int has_nan)
{
    Node node = nodes[at];
    float value = row[node.next & 0x7f];
    uint32_t is_false = value > node.split;
    if (has_nan)
        is_false |= (value != value) & (node.next >> 7 & 1);
    return (node.next >> 8) + is_false;
}

static inline uint32_t boosted_step(const BoostedNode *nodes, uint32_t at, const uint8_t *row)
{
    BoostedNode node = nodes[at];
    return node.next + (row[node.column] > node.rank);
}

static inline uint32_t value_of_leaf(const Node *node)
{
    uint32_t bits;
    memcpy(&bits, &node->split, sizeof bits);
    return bits & 0x3fffff;
}

/* The offset and the trees' values, added in the order of scikit-learn: PLACES has each tree's place in it. */
static inline double walk(const Forest *forest, const void *row, RowForm form)
{
    const void *nodes = forest->buffers[NODES].buf;
    const double *values = forest->buffers[VALUES].buf;
    const uint32_t *roots = forest->buffers[ROOTS].buf, *depths = forest->buffers[DEPTHS].buf;
    const uint32_t *places = forest->buffers[PLACES].buf;
    double found[MAX_TREES + LANES], sum = forest->offset;
    for (Py_ssize_t group = 0; group < forest->groups; group++) {
        uint32_t at[LANES];
        memcpy(at, roots + group * LANES, sizeof at);
        for (uint32_t depth = depths[group]; depth; depth--)
            for (int lane = 0; lane < LANES; lane++)
                at[lane] = form == BYTES ? boosted_step(nodes, at[lane], row)
                                         : forest_step(nodes, at[lane], row, form == NUMBERS_AND_NAN);
        for (int lane = 0; lane < LANES; lane++)
            found[places[group * LANES + lane]] =
                values[form == BYTES ? at[lane] : value_of_leaf((const Node *)nodes + at[lane])];
    }
    if (forest->single) {
        float narrow = (float)sum;
        for (Py_ssize_t tree = 0; tree < forest->trees; tree++)
            narrow += (float)found[tree];
        return narrow;
    }
    for (Py_ssize_t tree = 0; tree < forest->trees; tree++)
        sum += found[tree];
    return sum;
}

static double forest_probability(const Forest *forest, const double *values)
{
    float row[MAX_FEATURES];
    int has_nan = 0;
    for (Py_ssize_t index = 0; index < forest->features; index++) {
        row[index] = (float)values[index];
        has_nan |= isnan(row[index]);
    }
    double sum = has_nan ? walk(forest, row, NUMBERS_AND_NAN) : walk(forest, row, NUMBERS);
    return sum / (double)forest->trees;
}

/* Each value becomes the words of its interval: the number of cuts below it. The searches have no branch on data either. */
static double boosted_probability(const Forest *forest, const double *values)
{
    const Feature *features = forest->buffers[FEATURES].buf;
    const double *cuts = forest->buffers[CUTS].buf;
    const uint64_t *table = forest->buffers[TABLE].buf;
    uint64_t row[MAX_COLUMNS / sizeof(uint64_t)], *end = row;
    for (Py_ssize_t index = 0; index < forest->features; index++) {
        Feature feature = features[index];
        double value = values[index];
        const double *low = cuts;
        for (uint32_t count = feature.cuts, half; count; count -= half) {
            half = (count + 1) / 2;
            low += low[half - 1] < value ? half : 0;
        }
        size_t interval = value != value ? feature.cuts + (size_t)1 : (size_t)(low - cuts);
        for (uint32_t word = 0; word < feature.words; word++)
            *end++ = table[interval * feature.words + word];
        cuts += feature.cuts;
        table += (feature.cuts + (size_t)2) * feature.words;
    }
    double odds = walk(forest, row, BYTES);
    if (forest->single) { /* XGBoost's largest power of e: a larger one is infinite */
        float power = -(float)odds < 88.7f ? -(float)odds : 88.7f;
        return 1.0f / (expf(power) + 1.0f);
    }
    return 1.0 / (1.0 + exp(-odds));
}

static double probability(const Forest *forest, const double *values)
{
    return forest->buffers[FEATURES].buf ? boosted_probability(forest, values) : forest_probability(forest, values);
}

static PyObject *forest_one(PyObject *self, PyObject *list)
{
    Forest *forest = (Forest *)self;
    const double *largest = forest->buffers[LARGEST].buf;
    double row[MAX_FEATURES];
    if (!PyList_Check(list) || PyList_Size(list) != forest->features)
        Py_RETURN_NONE;
    for (Py_ssize_t index = 0; index < forest->features; index++) {
        double value = row[index] = PyFloat_AsDouble(PyList_GetItem(list, index));
        if (value == -1.0 && PyErr_Occurred())
            return NULL;
        if (!(fabs(value) <= largest[index] || (isnan(value) && forest->missing)))
            Py_RETURN_NONE;
    }
    return PyFloat_FromDouble(probability(forest, row));
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
        for (Py_ssize_t number = 0; number < rows; number++)
            answer[number] = probability(forest, values + number * features);
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
    if (!PyArg_ParseTuple(args, "y*y*y*y*y*y*np|y*y*y*dp", buffers, buffers + 1, buffers + 2, buffers + 3, buffers + 4, buffers + 5,
                          &forest->trees, &forest->missing, buffers + 6, buffers + 7, buffers + 8, &forest->offset,
                          &forest->single)) {
        Py_DECREF(forest);
        return NULL;
    }
    forest->groups = buffers[DEPTHS].len / (Py_ssize_t)sizeof(uint32_t);
    forest->features = buffers[LARGEST].len / (Py_ssize_t)sizeof(double);
    Py_ssize_t places = forest->groups * LANES * (Py_ssize_t)sizeof(uint32_t);
    const Feature *features = buffers[FEATURES].buf;
    size_t words = 0;
    for (size_t index = 0; index < (size_t)buffers[FEATURES].len / sizeof(Feature); index++)
        words += features[index].words;
    if (forest->features > MAX_FEATURES || forest->trees > MAX_TREES || words > MAX_COLUMNS / sizeof(uint64_t) ||
        buffers[ROOTS].len != places || buffers[PLACES].len != places) {
        PyErr_SetString(PyExc_ValueError, "too many features, columns or trees, or not LANES trees for each group");
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
    {Py_tp_doc, "Forest(nodes, values, roots, depths, places, largest, trees, missing[, features, cuts, table, offset[, single]])"},
    {0, NULL},
};

static PyType_Spec forest_spec = {"nightjar_walk.Forest", sizeof(Forest), 0, Py_TPFLAGS_DEFAULT, forest_slots};

static int module_exec(PyObject *module)
{
    PyObject *type = PyType_FromSpec(&forest_spec);
    if (type == NULL || PyModule_AddIntConstant(module, "LANES", LANES) < 0 || PyModule_AddIntConstant(module, "BOOSTED", 2) < 0)
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
