"""What the commands say under --help: examples and exit codes."""

APP = """
Examples:

  asr-migrate rehearse                      all waves, in a fresh lab

  asr-migrate rehearse --wave legacy        one wave only

  asr-migrate run assess -i inventory/mine  look at the real machines

  asr-migrate plan -i inventory/mine        everything that would be changed, in order

  asr-migrate run --lab migrate --check     what a run in the lab would do

  asr-migrate lab log --writes              what Azure was asked to change

Exit codes: 0 done; 1 a machine was neither migrated nor refused for a reason, or would be refused; 2 wrong usage;
3 something must be prepared first; 4 the run was stopped, and what it had asked of Azure goes on. "run" ends with the
exit code of ansible-playbook otherwise, but with 2 where that is 4 (a host could not be reached).
"""

REHEARSE = """
Examples:

  asr-migrate rehearse                      all waves, in a fresh lab

  asr-migrate rehearse --wave legacy        one wave only

  asr-migrate rehearse --keep-state         go on where the last rehearsal stood

Exit codes: 0 every machine is migrated or was refused for a reason, and one at least is migrated; 1 another machine is
neither, or a task failed; 2 wrong usage; 3 something must be prepared first; 4 stopped.
"""

RUN = """
Examples:

  asr-migrate run replicate -i inventory/mine            one step, for every wave

  asr-migrate run failover -i inventory/mine -e asr_waves=wave_one

  asr-migrate run migrate -i inventory/mine --check      what it would do; see also "asr-migrate plan"

Ctrl-C, or SIGTERM, stops a run at any moment: nothing more is asked for, what Azure is doing goes on and is named, and
the exit code is 4. The same command picks it up again. Never cancel a failover in the portal.

Exit codes: 0 every machine is where it was asked to be; 2 wrong usage, a machine or a task failed, or a host could not
be reached; 3 something must be prepared first, or the inventory has no host for it; 4 stopped; others as of
ansible-playbook.
"""

PLAN = """
Examples:

  asr-migrate plan -i inventory/mine                     the whole migration of every wave

  asr-migrate plan failover -i inventory/mine --wave one

  asr-migrate plan -i inventory/mine --json > plan.json

It lists what would be asked of Azure and of AWS, and what would be changed on each host. A goal that has to be reached
first is taken as reached when the same run plans it, as that of the whole migration does; else the machine is refused.
What a gate would hold back today is named with the gate.

Exit codes: 0 planned; 1 a machine would be refused; 2 wrong usage; 3 something could not be planned: it is named below
the plan of the rest; 4 stopped.
"""

STATUS = """
Examples:

  asr-migrate status -i inventory/mine                   every wave

  asr-migrate status -i inventory/mine --wave one

  asr-migrate status --lab                               the lab that is up

RPO is how much the last recovery point lags behind the source; "Left" is in about how long the disks are copied at
their average pace so far. Both stand where they are known.

Exit codes: 0 shown; 2 wrong usage; 3 it could not be read; 4 stopped.
"""

REPORT = """
Examples:

  asr-migrate report -i inventory/mine                   into reports/

  asr-migrate report -i inventory/mine --wave one --folder /srv/reports

  asr-migrate report --lab                               the lab that is up

Exit codes: 0 every machine is migrated or was refused for a reason; 1 another one is not, or a report could not be
written; 2 wrong usage; 3 something must be prepared first; 4 stopped.
"""
