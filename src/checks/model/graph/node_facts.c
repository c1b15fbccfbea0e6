#include "checks/model/graph/node_facts.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

double xr_attribute_number(const exray_node *node, const char *key, double otherwise)
{
    double value;
    return xr_attribute_numbers(node, key, &value, 1) == 1 ? value : otherwise;
}

bool xr_attribute_flag(const exray_node *node, const char *key, bool otherwise)
{
    const char *text = exray_node_attribute(node, key);
    if (!text || !*text)
        return otherwise;
    return *text == 't' || *text == 'T' || (isdigit((unsigned char)*text) && strtod(text, NULL) != 0);
}

size_t xr_attribute_numbers(const exray_node *node, const char *key, double *out, size_t room)
{
    const char *text = exray_node_attribute(node, key);
    size_t count = 0;
    while (text && *text) {
        if (strchr(" ,()[]", *text)) {
            text++;
            continue;
        }
        char *end;
        double value = strtod(text, &end);
        if (end == text)
            return 0;
        if (count < room)
            out[count] = value;
        count++;
        text = end;
    }
    return count;
}

bool xr_is_gemm(const exray_node *node)
{
    return node->op && (strcmp(node->op, "Gemm") == 0 || strcmp(node->op, "FusedGemm") == 0);
}

bool xr_product_is_biased(const exray_node *node)
{
    return xr_is_gemm(node) && node->input_count > 2 && node->inputs[2] != EXRAY_NO_INDEX;
}

bool xr_is_recurrent_word(const char *word)
{
    return strcmp(word, "lstm") == 0 || strcmp(word, "gru") == 0 || strcmp(word, "rnn") == 0;
}

bool xr_is_repeating_word(const char *word)
{
    return strcmp(word, "expand") == 0 || strcmp(word, "broadcastto") == 0 || strcmp(word, "tile") == 0;
}

void xr_attribute_words(const char *value[2], char text[2][XR_ATTRIBUTE_NUMBER])
{
    for (int s = 0; s < 2; s++) {
        char *end;
        double number = value[s] ? strtod(value[s], &end) : 0;
        if (!value[s] || end == value[s] || *end)
            return;
        snprintf(text[s], XR_ATTRIBUTE_NUMBER, "%.6g", number);
    }
    for (int s = 0; s < 2 && strcmp(text[0], text[1]) != 0; s++)
        value[s] = text[s];
}

bool xr_is_of_integers(const exray_node *node)
{
    static const char *const starts[] = {"QLinear",     "QGemm",           "MatMulInteger",
                                         "ConvInteger", "DynamicQuantize", "MatMulNBits"};
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (node->op && strncmp(node->op, starts[i], strlen(starts[i])) == 0)
            return true;
    return false;
}

bool xr_reads_by_name(const exray_node *node)
{
    return node->op &&
           (strcmp(node->op, "If") == 0 || strcmp(node->op, "Loop") == 0 || strcmp(node->op, "Scan") == 0);
}

bool xr_key_computes_nothing(const char *key)
{
    static const char *const keys[] = {"momentum",
                                       "asymmetric_quantize_inputs",
                                       "quantized_bias_type",
                                       "weights_format",
                                       "keep_num_dims",
                                       "training",
                                       "training_mode",
                                       "seed",
                                       "stash_type",
                                       "allowzero"};
    const size_t length = strcspn(key, ",");
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (length == strlen(keys[i]) && strncmp(key, keys[i], length) == 0)
            return !key[length] || xr_key_computes_nothing(key + length + strlen(", "));
    return false;
}
