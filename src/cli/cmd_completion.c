/* `exray completion`: what a shell completes, made of the commands' own usage texts. */
#include "cli/usage.h"

#include "engines/engine.h"

#include <string.h>

static int run(int argc, char **argv);

const xr_command xr_command_completion = {
    .name = "completion",
    .summary = "print the completions of bash, zsh or fish",
    .usage = "usage: exray completion bash|zsh|fish\n\n"
             "Prints a script that lets the shell complete commands, options and values.\n\n"
             "example: eval \"$(exray completion bash)\"             # in ~/.bashrc\n"
             "         eval \"$(exray completion zsh)\"              # in ~/.zshrc, behind compinit\n"
             "         exray completion fish > ~/.config/fish/completions/exray.fish\n",
    .run = run,
};

/* ---- Values ------------------------------------------------------------------------ */

/* The values of options that take one of a few; all others take files. */
static const struct {
    const char *option, *values;
} choices[] = {
    {"role", "edge reference"},       {"capture", "off frame io stats sketch full"},
    {"compress", "none lz4 zstd"},    {"from", "sensor input"},
    {"fail-on", "perf log perf,log"}, {"kernels", "default builtin xnnpack extended none"},
};

static bool is_named(const xr_usage_option *o, const char *name)
{
    return strlen(name) == o->name_size && memcmp(o->name, name, o->name_size) == 0;
}

/* Numbers and names that no shell can know. */
static bool is_free(const xr_usage_option *o)
{
    static const char *const values[] = {"N", "S", "X", "LIST", "NAME.OPTION=VALUE", "NAME"};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        if (strlen(values[i]) == o->value_size && memcmp(o->value, values[i], o->value_size) == 0)
            return true;
    return false;
}

/* Prints the values with `between`; false: the option has no such list. */
static bool print_choices(const xr_usage_option *o)
{
    if (is_named(o, "engine")) {
        for (const xr_engine *const *e = xr_engines; *e; e++)
            printf("%s%s", e == xr_engines ? "" : " ", (*e)->name);
        return true;
    }
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++)
        if (is_named(o, choices[i].option)) {
            fputs(choices[i].values, stdout);
            return true;
        }
    return false;
}

static bool has_choices(const xr_usage_option *o)
{
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++)
        if (is_named(o, choices[i].option))
            return true;
    return is_named(o, "engine");
}

/* For a place between single quotes, where brackets and colons mean something to zsh. */
static void print_text(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (text[i] == '\'')
            fputs("'\\''", stdout);
        else if (strchr("[]:`", text[i]))
            printf("%c", text[i] == ':' ? ',' : text[i] == '`' ? '"' : text[i] == '[' ? '(' : ')');
        else
            putchar(text[i]);
}

/* ---- Shells ---------------------------------------------------------------------------- */

static void print_option_names(const xr_command *command)
{
    xr_usage_place place = {command->usage, command->usage};
    xr_usage_option o;
    while (xr_usage_next(&place, &o))
        printf(" --%.*s", (int)o.name_size, o.name);
    fputs(" --help --quiet --verbose", stdout);
}

static void print_bash(void)
{
    fputs("_exray() {\n"
          "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} words=\n"
          "  COMPREPLY=()\n"
          "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
          "    words='",
          stdout);
    for (size_t i = 0; xr_commands[i]; i++)
        printf("%s ", xr_commands[i]->name);
    fputs("--help --version'\n"
          "    COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
          "    return\n"
          "  fi\n"
          "  case ${COMP_WORDS[1]}:$before in\n",
          stdout);
    for (size_t i = 0; xr_commands[i]; i++) {
        xr_usage_place place = {xr_commands[i]->usage, xr_commands[i]->usage};
        xr_usage_option o;
        while (xr_usage_next(&place, &o)) {
            if (!has_choices(&o) && !is_free(&o))
                continue;
            printf("    %s:--%.*s) words='", xr_commands[i]->name, (int)o.name_size, o.name);
            print_choices(&o);
            fputs("' ;;\n", stdout);
        }
    }
    fputs("    completion:completion) words='bash zsh fish --help --quiet --verbose' ;;\n"
          "    *) case ${COMP_WORDS[1]}:$word in\n",
          stdout);
    for (size_t i = 0; xr_commands[i]; i++) {
        printf("      %s:-*) words='", xr_commands[i]->name);
        print_option_names(xr_commands[i]);
        fputs("' ;;\n", stdout);
    }
    fputs("      *) COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n"
          "    esac ;;\n"
          "  esac\n"
          "  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
          "}\n"
          "complete -o filenames -F _exray exray\n",
          stdout);
}

static void print_zsh_option(const xr_usage_option *o)
{
    printf("        '--%.*s[", (int)o->name_size, o->name);
    print_text(o->text, o->text_size);
    putchar(']');
    if (o->value_size) {
        printf(":%.*s:", (int)o->value_size, o->value);
        if (has_choices(o)) {
            putchar('(');
            print_choices(o);
            putchar(')');
        } else if (!is_free(o))
            fputs("_files", stdout);
    }
    fputs("' \\\n", stdout);
}

static void print_zsh(void)
{
    fputs("#compdef exray\n"
          "_exray() {\n"
          "  if (( CURRENT == 2 )); then\n"
          "    local -a commands=(\n",
          stdout);
    for (size_t i = 0; xr_commands[i]; i++) {
        printf("      '%s:", xr_commands[i]->name);
        print_text(xr_commands[i]->summary, strlen(xr_commands[i]->summary));
        fputs("'\n", stdout);
    }
    fputs("    )\n"
          "    _describe command commands\n"
          "    return\n"
          "  fi\n"
          "  local command=$words[2]\n"
          "  shift words; (( CURRENT-- ))\n"
          "  case $command in\n"
          "    completion) _values shell bash zsh fish ;;\n",
          stdout);
    for (size_t i = 0; xr_commands[i]; i++) {
        if (xr_commands[i] == &xr_command_completion)
            continue;
        printf("    %s)\n      _arguments \\\n", xr_commands[i]->name);
        xr_usage_place place = {xr_commands[i]->usage, xr_commands[i]->usage};
        xr_usage_option o;
        while (xr_usage_next(&place, &o))
            print_zsh_option(&o);
        fputs("        '--help[say more]' '--quiet[errors and warnings alone]' "
              "'--verbose[what was used, too]' '*:file:_files' ;;\n",
              stdout);
    }
    fputs("  esac\n"
          "}\n"
          "compdef _exray exray\n",
          stdout);
}

static void print_fish(void)
{
    fputs("complete -c exray -n __fish_use_subcommand -f -l help -d 'say what there is'\n", stdout);
    for (size_t i = 0; xr_commands[i]; i++) {
        printf("complete -c exray -n __fish_use_subcommand -f -a %s -d '", xr_commands[i]->name);
        print_text(xr_commands[i]->summary, strlen(xr_commands[i]->summary));
        fputs("'\n", stdout);
        xr_usage_place place = {xr_commands[i]->usage, xr_commands[i]->usage};
        xr_usage_option o;
        while (xr_usage_next(&place, &o)) {
            printf("complete -c exray -n '__fish_seen_subcommand_from %s' -l %.*s", xr_commands[i]->name,
                   (int)o.name_size, o.name);
            if (o.short_name)
                printf(" -s %c", o.short_name);
            if (has_choices(&o)) {
                fputs(" -x -a '", stdout);
                print_choices(&o);
                putchar('\'');
            } else if (o.value_size)
                fputs(is_free(&o) ? " -x" : " -r", stdout);
            fputs(" -d '", stdout);
            print_text(o.text, o.text_size);
            fputs("'\n", stdout);
        }
    }
    fputs("complete -c exray -n '__fish_seen_subcommand_from completion' -f -a 'bash zsh fish'\n", stdout);
}

static int run(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*print)(void);
    } shells[] = {{"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}};
    if (argc != 2)
        return xr_usage_error(&xr_command_completion, "name one shell: bash, zsh or fish");
    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++)
        if (strcmp(argv[1], shells[i].name) == 0) {
            shells[i].print();
            return XR_EXIT_OK;
        }
    return xr_usage_error(&xr_command_completion, "%s: not bash, zsh or fish", argv[1]);
}
