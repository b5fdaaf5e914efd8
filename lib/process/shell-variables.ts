/** Whether dash and bash hand on a variable as it is given to them. */
export const isTakenByShells = (name: string): boolean => /^[A-Za-z_]\w*$/.test(name) && !OF_SHELLS.test(name)

/** What shells set themselves, or do not let anybody set, and what run-as-asked.sh has for itself. */
const OF_SHELLS =
  /^(_|_\d+|PPID|UID|EUID|GROUPS|OPTIND|SHELLOPTS|BASHOPTS|BASH_(VERSINFO|ARGC|ARGV|ARGV0|CMDS|ALIASES|COMMAND|COMPAT|LINENO|MONOSECONDS|SOURCE|SUBSHELL|XTRACEFD)|BASHPID|DIRSTACK|PIPESTATUS|FUNCNAME|FUNCNEST|HISTCMD|LINENO|RANDOM|SRANDOM|SECONDS|EPOCHSECONDS|EPOCHREALTIME|SHLVL|NEWDT_AUTO_NUMBER)$/

export const NOT_TAKEN =
  'with a user, limits or noNewPrivileges a name must be of letters, digits and _, and none that shells set themselves'
