#compdef make
# Completes `make` in checkouts of this repository. In other folders, the completion of zsh is used.
_ml_pipeline_make() {
    if [[ ! -x .venv/bin/python || ! -f ml_pipeline/completion/__main__.py ]]; then
        _make "$@"
        return
    fi
    local line candidate
    local -a targets described variables
    for line in "${(@f)$(.venv/bin/python -m ml_pipeline.completion "${(@)words[2,CURRENT]}" 2> /dev/null)}"; do
        candidate=${line%%$'\t'*}
        case $candidate in
            '') ;;
            *=) variables+=("$candidate") ;;
            *) targets+=("$candidate"); described+=("$candidate  ${line#*$'\t'}") ;;
        esac
    done
    compadd -l -d described -a targets
    compadd -S '' -a variables
}

typeset -f compdef > /dev/null || { autoload -Uz compinit && compinit; }
compdef _ml_pipeline_make make
