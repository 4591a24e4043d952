#!/bin/sh
# lsblk: the names of the disks and partitions; options are not looked at.
for device in /sys/block/*; do
    echo "${device##*/}"
    for part in "$device/${device##*/}"*; do [ ! -e "$part/partition" ] || echo "${part##*/}"; done
done
