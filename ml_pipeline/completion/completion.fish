# Completes `make` in checkouts of this repository. In other folders, the completion of fish is used.
function __ml_pipeline_is_checkout
    test -x .venv/bin/python; and test -f ml_pipeline/completion/__main__.py
end

function __ml_pipeline_make
    set -l words (commandline --cut-at-cursor --tokenize --current-process)
    .venv/bin/python -m ml_pipeline.completion $words[2..-1] (commandline --current-token) 2>/dev/null
end

complete --command make --condition __ml_pipeline_is_checkout --keep-order --no-files --arguments '(__ml_pipeline_make)'
