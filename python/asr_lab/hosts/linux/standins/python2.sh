#!/bin/sh
# python of a time that the lab's machine has no interpreter of: there, as the distribution has it, and of no use to Ansible.
case ${1:-} in
-V | --version) echo "Python 2.7.5" >&2 ;;
*) echo "${0##*/}: programs in Python 2 cannot be run on this simulated host" >&2; exit 1 ;;
esac
