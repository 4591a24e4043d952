#!/bin/sh
echo ec2-user
