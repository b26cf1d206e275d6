#!/usr/bin/env bash
# Runs one worker, as all schedulers start it: with the cores that the scheduler gives it, a cache that the workers of a
# node share, and until there has been nothing to do for a while. The scheduler's end of time is a SIGTERM: the shard
# under way is put aside for another worker.
#
# Settings come from the environment, or from the file that SKYBLAST_CLUSTER_ENV names:
#
#     SKYBLAST_BLOB_ENDPOINT, SKYBLAST_QUEUE_ENDPOINT, or SKYBLAST_STORAGE   where the work is
#     SKYBLAST             the program                                [skyblast]
#     SKYBLAST_CACHE       folder on a disk of the node               [$TMPDIR/skyblast-USER, or in /tmp]
#     SKYBLAST_CACHE_SIZE  most that volumes may take in it           [50GB]
#     SKYBLAST_LEAVE_AFTER how long a worker waits without work       [5m]
set -euo pipefail

if [[ -n ${SKYBLAST_CLUSTER_ENV:-} ]]; then
    set -o allexport
    # shellcheck source=/dev/null
    source "$SKYBLAST_CLUSTER_ENV"
    set +o allexport
fi
if [[ -z ${SKYBLAST_STORAGE:-}${SKYBLAST_BLOB_ENDPOINT:-} ]]; then
    echo "infra/cluster/worker.sh: set SKYBLAST_STORAGE, or SKYBLAST_BLOB_ENDPOINT and SKYBLAST_QUEUE_ENDPOINT" >&2
    exit 2
fi

# Slurm, PBS, Grid Engine and HPC Pack, in this order; else all cores.
threads=${SLURM_CPUS_PER_TASK:-${NCPUS:-${NSLOTS:-${CCP_NUMCPUS:-$(nproc)}}}}
cache=${SKYBLAST_CACHE:-${TMPDIR:-/tmp}/skyblast-$(id -un)}

exec "${SKYBLAST:-skyblast}" worker \
    --threads "$threads" \
    --cache "$cache" \
    --cache-size "${SKYBLAST_CACHE_SIZE:-50GB}" \
    --leave-after "${SKYBLAST_LEAVE_AFTER:-5m}"
