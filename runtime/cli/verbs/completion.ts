import { Argument } from 'commander'
import { type Verb, verb } from '../verb.ts'

/** A script for a shell, which asks newdt itself what may come next. */
export const completion: Verb = cli =>
  verb('completion', 'print what makes a shell complete verbs, options, ids and hosts', [
    'source <(newdt completion bash)     # in ~/.bashrc',
    'source <(newdt completion zsh)      # in ~/.zshrc, after compinit',
    'newdt completion fish > ~/.config/fish/completions/newdt.fish',
  ])
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']))
    .action((shell: 'bash' | 'zsh' | 'fish') => cli.out.write(SCRIPTS[shell]))

// Where newdt knows nothing, the shell offers files.
const SCRIPTS = {
  bash: `_newdt() {
  mapfile -t COMPREPLY < <("\${COMP_WORDS[0]}" __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  COMPREPLY=("\${COMPREPLY[@]%%$'\\t'*}")
}
complete -o default -F _newdt newdt
`,
  zsh: `#compdef newdt
_newdt() {
  local -a lines values
  lines=("\${(@f)$("\${words[1]}" __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  lines=(\${lines:#})
  if (( $#lines == 0 )); then _files; return; fi
  values=("\${(@)lines%%$'\\t'*}")
  compadd -l -d lines -a values
}
compdef _newdt newdt
`,
  fish: `complete -c newdt -f -a '(newdt __complete -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'
complete -c newdt -n '__fish_seen_subcommand_from script' -F
`,
}
