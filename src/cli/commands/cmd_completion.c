/* `exray completion`: what a shell completes, from the commands' option tables. */
#include "cli/command_line.h"
#include "cli/fail.h"
#include "cli/progress.h"

#include <stdio.h>
#include <string.h>

/* The options of a command that help shows. */
static const xr_option *next_shown(xr_option_place *place)
{
    const xr_option *option = xr_next_option(place);
    while (option && !option->text)
        option = xr_next_option(place);
    return option;
}

/* ---- Values ------------------------------------------------------------------------ */

/* Prints the values that an option takes; nothing if any will do. */
static void print_choices(const xr_option *o)
{
    const char *choice;
    for (size_t i = 0; (choice = xr_value_choice(o, i)); i++)
        printf("%s%s", i ? " " : "", choice);
}

static bool has_choices(const xr_option *o)
{
    return xr_value_choice(o, 0) != NULL;
}

/* For a place between single quotes, where brackets and colons mean something to zsh. */
static void print_text(const char *text)
{
    for (; *text; text++)
        if (*text == '\'')
            fputs("'\\''", stdout);
        else if (strchr("[]:`", *text))
            putchar(*text == ':' ? ',' : *text == '`' ? '"' : *text == '[' ? '(' : ')');
        else
            putchar(*text);
}

/* ---- Shells ---------------------------------------------------------------------------- */

static void print_bash(const xr_command *const *commands)
{
    fputs("_exray() {\n"
          "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} words=\n"
          "  COMPREPLY=()\n"
          "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
          "    words='",
          stdout);
    for (size_t i = 0; commands[i]; i++)
        printf("%s ", commands[i]->name);
    fputs("--help --version'\n"
          "    COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
          "    return\n"
          "  fi\n"
          "  case ${COMP_WORDS[1]}:$before in\n",
          stdout);
    for (size_t i = 0; commands[i]; i++) {
        xr_option_place place = {commands[i]->groups, 0};
        for (const xr_option *o; (o = next_shown(&place));) {
            if (!o->value || o->kind == XR_VALUE_FILE)
                continue;
            printf("    %s:--%s) words='", commands[i]->name, o->name);
            print_choices(o);
            fputs("' ;;\n", stdout);
        }
    }
    fputs("    completion:completion) words='bash zsh fish --help --quiet --verbose' ;;\n"
          "    *) case ${COMP_WORDS[1]}:$word in\n",
          stdout);
    for (size_t i = 0; commands[i]; i++) {
        printf("      %s:-*) words='", commands[i]->name);
        xr_option_place place = {commands[i]->groups, 0};
        for (const xr_option *o; (o = next_shown(&place));)
            printf(" --%s", o->name);
        fputs(" --help --quiet --verbose' ;;\n", stdout);
    }
    fputs("      *) COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n"
          "    esac ;;\n"
          "  esac\n"
          "  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
          "}\n"
          "complete -o filenames -F _exray exray\n",
          stdout);
}

static void print_zsh_option(const xr_option *o)
{
    printf("        '--%s[", o->name);
    print_text(o->text);
    putchar(']');
    if (o->value) {
        putchar(':');
        print_text(o->value);
        putchar(':');
        if (has_choices(o)) {
            putchar('(');
            print_choices(o);
            putchar(')');
        } else if (o->kind == XR_VALUE_FILE)
            fputs("_files", stdout);
    }
    fputs("' \\\n", stdout);
}

static void print_zsh(const xr_command *const *commands)
{
    fputs("#compdef exray\n"
          "_exray() {\n"
          "  if (( CURRENT == 2 )); then\n"
          "    local -a commands=(\n",
          stdout);
    for (size_t i = 0; commands[i]; i++) {
        printf("      '%s:", commands[i]->name);
        print_text(commands[i]->summary);
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
    for (size_t i = 0; commands[i]; i++) {
        if (strcmp(commands[i]->name, "completion") == 0)
            continue;
        printf("    %s)\n      _arguments \\\n", commands[i]->name);
        xr_option_place place = {commands[i]->groups, 0};
        for (const xr_option *o; (o = next_shown(&place));)
            print_zsh_option(o);
        for (const xr_option *o = xr_verbosity_options; o->name; o++)
            print_zsh_option(o);
        fputs("        '--help[say more]' '*:file:_files' ;;\n", stdout);
    }
    fputs("  esac\n"
          "}\n"
          "compdef _exray exray\n",
          stdout);
}

static void print_fish_option(const xr_command *command, const xr_option *o)
{
    printf("complete -c exray -n '__fish_seen_subcommand_from %s' -l %s", command->name, o->name);
    if (o->letter)
        printf(" -s %c", o->letter);
    if (has_choices(o)) {
        fputs(" -x -a '", stdout);
        print_choices(o);
        putchar('\'');
    } else if (o->value)
        fputs(o->kind == XR_VALUE_FILE ? " -r" : " -x", stdout);
    fputs(" -d '", stdout);
    print_text(o->text);
    fputs("'\n", stdout);
}

static void print_fish(const xr_command *const *commands)
{
    fputs("complete -c exray -n __fish_use_subcommand -f -l help -d 'say what there is'\n", stdout);
    for (size_t i = 0; commands[i]; i++) {
        printf("complete -c exray -n __fish_use_subcommand -f -a %s -d '", commands[i]->name);
        print_text(commands[i]->summary);
        fputs("'\n", stdout);
        xr_option_place place = {commands[i]->groups, 0};
        for (const xr_option *o; (o = next_shown(&place));)
            print_fish_option(commands[i], o);
    }
    fputs("complete -c exray -n '__fish_seen_subcommand_from completion' -f -a 'bash zsh fish'\n", stdout);
}

static int run(const xr_call *call)
{
    static const struct {
        const char *name;
        void (*print)(const xr_command *const *commands);
    } shells[] = {{"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}};
    xr_operands operands;
    int status = xr_parse_options(call, NULL, &operands);
    if (status != XR_EXIT_OK)
        return status;
    if (operands.count != 1)
        return xr_usage_error(call->command, "name one shell: bash, zsh or fish");
    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++)
        if (strcmp(operands.at[0], shells[i].name) == 0) {
            shells[i].print(call->commands);
            return XR_EXIT_OK;
        }
    return xr_usage_error(call->command, "%s: not bash, zsh or fish", operands.at[0]);
}

const xr_command xr_command_completion = {
    .name = "completion",
    .summary = "print the completions of bash, zsh or fish",
    .synopsis = "bash|zsh|fish",
    .description = "Prints a script that lets the shell complete commands, options and values.",
    .example = "eval \"$(exray completion bash)\"             # in ~/.bashrc\n"
               "eval \"$(exray completion zsh)\"              # in ~/.zshrc, behind compinit\n"
               "exray completion fish > ~/.config/fish/completions/exray.fish",
    .run = run,
};
