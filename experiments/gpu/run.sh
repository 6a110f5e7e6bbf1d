#!/usr/bin/env bash
# Train the released models on a rented GPU host, offline, in up to three commands that follow each other without a pause:
#
#   experiments/gpu/run.sh start MINUTES     unpack, check, start makers and trainers in the background, return
#   experiments/gpu/run.sh wait SECONDS      go on for so long (with packs that this command brought), bring results
#   experiments/gpu/run.sh wait SECONDS      … and again, until the trainers are done
#
# MINUTES counts from the start; `DEADLINE=+SECONDS experiments/gpu/run.sh wait …` moves the end to so many seconds from now.
# PACKS holds some of fonts.zip, lines.zip, pages.zip (pack.py), corpora.zip, backgrounds/, wheels/ and the weights to start from
# (rec_en, rec_ch, det, cls, each with model.safetensors). Results go to OUT: weights, logs, the use of the GPU.
# MAKERS=en,zh,real,page says how many processes make each kind; DEVICE=cpu SMALL=1 is a dry run.
set -euo pipefail
cd "$(dirname "$0")/../.."

PACKS=${PACKS:-.gpu} OUT=${OUT:?where results go} DEVICE=${DEVICE:-cuda}
WORK=${WORK:-/tmp/gpu} STORE=${STORE:-/dev/shm/gpu}
if [ -z "${SMALL:-}" ] && [ "$(df --output=size -k /dev/shm | tail -1)" -lt 50000000 ]; then STORE=/tmp/gpu_store; fi
HOLD=$WORK/packs # what came with an earlier command is kept here
export MAKERS=${MAKERS:-4,4,2,3} PYTHONPATH=$PWD:$WORK/site OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 PYTHONUNBUFFERED=1
python=${PYTHON:-python3}

take() { # keep the packs of this command; fonts are unpacked
  mkdir -p "$HOLD"
  for name in backgrounds rec_en rec_ch det cls; do
    [ -e "$PACKS/$name" ] && [ ! -e "$HOLD/$name" ] && cp -r "$PACKS/$name" "$HOLD/$name"
  done
  for name in fonts corpora; do
    if [ -e "$PACKS/$name.zip" ] && [ ! -e "$HOLD/$name" ]; then
      "$python" -m zipfile -e "$PACKS/$name.zip" "$HOLD/$name"
    fi
  done
  for name in lines.zip pages.zip; do
    if [ -e "$PACKS/$name" ] && [ ! -e "$HOLD/$name" ]; then
      cp "$PACKS/$name" "$HOLD/.$name" && mv "$HOLD/.$name" "$HOLD/$name"
    fi
  done
}

background() { # background NAME COMMAND…: a process that outlives this command
  local name=$1
  shift
  setsid nohup "$@" >"$WORK/logs/$name.log" 2>&1 </dev/null &
}

collect() {
  mkdir -p "$OUT"
  tar -C "$WORK" --exclude='*.safetensors' -czf "$OUT/logs.tar.gz" output/ logs/ 2>/dev/null || true
  tar -C "$WORK/output" --exclude='*.last.safetensors' -cf - . 2>/dev/null | split -b 15M -d - "$OUT/weights.tar." || true
}

show() {
  for log in "$WORK"/output/*.jsonl; do
    echo "== $(basename "$log")"
    tail -n "${1:-4}" "$log"
  done
  tail -qn 1 "$WORK/logs/use.log" 2>/dev/null || true
  for log in $(grep -l Traceback "$WORK"/logs/*.log 2>/dev/null || true); do
    echo "== $log"
    tail -n 5 "$log"
  done
}

case "$1" in
  start)
    mkdir -p "$WORK/logs" "$WORK/output" "$WORK/control"
    echo $(($(date +%s) + $2 * 60)) >"$WORK/control/deadline"
    if compgen -G "$PACKS/wheels/*.whl" >/dev/null; then
      "$python" -m pip install -q --no-index --no-deps --no-compile --target "$WORK/site" "$PACKS"/wheels/*.whl || echo "wheels: not installed"
    fi
    take
    "$python" experiments/gpu/make.py create --store "$STORE" --packs "$HOLD" ${SMALL:+--part 40}
    IFS=, read -r en zh real page <<<"$MAKERS"
    for ((i = 0; i < en; i++)); do background "en$i" nice "$python" experiments/gpu/make.py en "$i" --store "$STORE" --packs "$HOLD"; done
    for ((i = 0; i < zh; i++)); do background "zh$i" nice "$python" experiments/gpu/make.py zh "$i" --store "$STORE" --packs "$HOLD"; done
    for ((i = 0; i < real; i++)); do background "real$i" nice "$python" experiments/gpu/make.py real "$i" --store "$STORE" --packs "$HOLD"; done
    for ((i = 0; i < page; i++)); do background "page$i" nice "$python" experiments/gpu/make.py page "$i" --store "$STORE" --packs "$HOLD"; done
    common=(--store "$STORE" --packs "$HOLD" --control "$WORK/control" --output "$WORK/output" --device "$DEVICE")
    for name in ${TRAIN:-rec_en rec_zh cls det}; do
      case "$name" in
        rec_en) background rec_en "$python" experiments/gpu/rec.py en "${common[@]}" ${REC_EN:---inner 0.75} ;;
        rec_zh) background rec_zh "$python" experiments/gpu/rec.py zh "${common[@]}" ${REC_ZH:---inner 1} ;;
        cls) background cls "$python" experiments/gpu/cls.py "${common[@]}" ${CLS:-} ;;
        det) background det "$python" experiments/gpu/det.py "${common[@]}" ${DET:---scales 0.75} ;;
      esac
    done
    command -v nvidia-smi >/dev/null && background use nvidia-smi --query-gpu=utilization.gpu,memory.used --format=csv,noheader -l 3
    until=$(($(date +%s) + ${3:-45}))
    while [ "$(date +%s)" -lt "$until" ]; do sleep 1; done
    show 6
    tail -n 3 "$WORK"/logs/*.log
    uptime
    collect
    ;;
  wait)
    take
    [ -n "${DEADLINE:-}" ] && echo $(($(date +%s) + ${DEADLINE#+})) >"$WORK/control/deadline"
    until=$(($(date +%s) + $2))
    wanted=$(wc -w <<<"${TRAIN:-rec_en rec_zh cls det}")
    while [ "$(date +%s)" -lt "$until" ] && [ "$(find "$WORK/output" -name '*.done' | wc -l)" -lt "$wanted" ]; do sleep 1; done
    show "${SHOW:-8}"
    collect
    ;;
  *) echo "usage: $0 start MINUTES [SECONDS] | wait SECONDS" >&2; exit 2 ;;
esac
ls -la "$OUT"
