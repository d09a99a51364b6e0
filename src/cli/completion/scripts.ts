/**
 * The scripts that `pawl completion` prints. They pass the words of the command line to `pawl complete -- WORD...` (bash: `--bash`), which
 * prints one candidate on each line (with a tab and a description), and `:files` if the shell is to complete files.
 * They know nothing of the command tree.
 *
 * No library is used. Of the two that are maintained, one lets the shell evaluate what was typed, so that Tab after
 * `pawl send bob -m "$(…)"` runs the command, and never completes files. The other evaluates it only in fish, and depends
 * on four packages.
 */

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type ShellName = (typeof SHELLS)[number];

export const SCRIPTS: Readonly<Record<ShellName, string>> = {
  bash: `# pawl's completion for bash: source <(pawl completion bash)
_pawl() {
  local line files=
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == :files ]]; then files=1; else COMPREPLY+=("\${line%%$'\\t'*}"); fi
  done < <(pawl complete --bash -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null </dev/null)
  # Without candidates bash completes files, which is right only where one can stand.
  if [[ -z $files ]] && type compopt &>/dev/null; then compopt +o default; fi
}
complete -o default -F _pawl pawl
`,
  zsh: `#compdef pawl
# pawl's completion for zsh: source <(pawl completion zsh), after compinit; or a file _pawl in a folder of $fpath
_pawl() {
  local line files=
  local -a candidates
  while IFS= read -r line; do
    if [[ $line == :files ]]; then files=1; else candidates+=("\${\${line//:/\\\\:}/$'\\t'/:}"); fi
  done < <(pawl complete -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null </dev/null)
  if (( $#candidates )); then _describe pawl candidates; fi
  if [[ -n $files ]]; then _files; fi
}
if [[ $funcstack[1] == _pawl ]]; then _pawl "$@"; else compdef _pawl pawl; fi
`,
  fish: `# pawl's completion for fish: pawl completion fish > ~/.config/fish/completions/pawl.fish
function __pawl_complete
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  for line in (pawl complete -- $words[2..-1] "$current" 2>/dev/null </dev/null)
    if test "$line" = ':files'
      __fish_complete_path "$current"
    else
      echo $line
    end
  end
end
complete -c pawl -f -a '(__pawl_complete)'
`,
};
