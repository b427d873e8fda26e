# Completes `make` in checkouts of this repository. In other folders, the previous completion is used.
case $(complete -p make 2> /dev/null) in
    *_ml_pipeline_make*) ;;
    *) _ml_pipeline_make_before=$({ complete -p make 2> /dev/null || true; } | sed -n 's/.* -F \([^ ]*\) .*/\1/p') ;;
esac

_ml_pipeline_make() {
    local line=${COMP_LINE:0:COMP_POINT} words current candidate prefix
    COMPREPLY=()
    if [ ! -x .venv/bin/python ] || [ ! -f ml_pipeline/completion/__main__.py ]; then
        if [ -n "$_ml_pipeline_make_before" ]; then "$_ml_pipeline_make_before" "$@"; fi
        return
    fi
    # Not COMP_WORDS, because bash splits these at `=`.
    read -ra words <<< "$line"
    case $line in *[[:space:]]) words+=('') ;; esac
    current=${words[${#words[@]} - 1]}
    # Bash replaces only the text after the `=`.
    case $COMP_WORDBREAKS$current in *=*=*) prefix=${current%%=*}= ;; esac
    while IFS=$'\t' read -r candidate _; do
        COMPREPLY+=("${candidate#"$prefix"}")
    done < <(.venv/bin/python -m ml_pipeline.completion "${words[@]:1}" 2> /dev/null)
    case ${COMPREPLY[0]-} in *=) compopt -o nospace 2> /dev/null || true ;; esac
}

complete -o bashdefault -o default -F _ml_pipeline_make make
