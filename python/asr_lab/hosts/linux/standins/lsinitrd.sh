#!/bin/sh
# lsinitrd [IMAGE]: what the image holds; in the lab an image is the list of its files.
image=${1:-/boot/initramfs-$(uname -r).img}
[ -r "$image" ] || { echo "Specify an existing initramfs image" >&2; exit 1; }
echo "$image: $(wc -c <"$image")K"
echo "========================================================================"
while read -r file; do echo "-rwxr--r--   1 root     root        32088 Jul 23  2015 $file"; done <"$image"
echo "========================================================================"
