#!/bin/sh
# /etc/vxagent/bin/vxagent start|stop|restart|status
exec service vxagent "${1:-status}"
