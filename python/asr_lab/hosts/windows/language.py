"""What the programs of a Windows host print in another display language than English.

Only words differ between languages, never numbers, identifiers and places. The German words are those of a German
Windows Server where they are known, else translations; no one should read words of any language.
"""

from dataclasses import replace

from asr_lab.hosts.windows.result import Result

GERMAN = (
    (
        "ERROR: The system was unable to find the specified registry key or value.",
        "FEHLER: Der angegebene Registrierungsschlüssel bzw. Wert wurde nicht gefunden.",
    ),
    ("ERROR:", "FEHLER:"),
    ("The operation completed successfully.", "Der Vorgang wurde erfolgreich beendet."),
    ("(value not set)", "(Wert nicht gesetzt)"),
    ("    (Default)    ", "    (Standard)    "),
    ("End of search: ", "Ende der Suche: "),
    ("match(es) found.", "Übereinstimmung(en) gefunden."),
    ("SERVICE_NAME: ", "DIENSTNAME: "),
    ("DISPLAY_NAME", "ANZEIGENAME"),
    ("        TYPE               : ", "        TYP                : "),
    ("        STATE              : ", "        STATUS             : "),
    ("        START_TYPE         : ", "        STARTTYP           : "),
    ("WIN32_EXIT_CODE    :", "WIN32_BEENDIGUNGSCODE:"),
    ("FAILED", "FEHLER"),
    (
        "The specified service does not exist as an installed service.",
        "Der angegebene Dienst ist kein installierter Dienst.",
    ),
    ("Updated ", "Aktualisiert: "),
    ("rule(s).", "Regel(n)."),
    ("No rules match the specified criteria.", "Es stimmen keine Regeln mit den angegebenen Kriterien überein."),
    ("Windows IP Configuration", "Windows-IP-Konfiguration"),
    ("   Host Name . . . . . . . . . . . . : ", "   Hostname  . . . . . . . . . . . . : "),
    ("   Physical Address. . . . . . . . . : ", "   Physische Adresse . . . . . . . . : "),
    ("   DHCP Enabled. . . . . . . . . . . : Yes", "   DHCP aktiviert. . . . . . . . . . : Ja"),
    ("   IPv4 Address. . . . . . . . . . . : ", "   IPv4-Adresse  . . . . . . . . . . : "),
    ("(Preferred)", "(Bevorzugt)"),
    ("   Subnet Mask . . . . . . . . . . . : ", "   Subnetzmaske  . . . . . . . . . . : "),
    ("   Default Gateway . . . . . . . . . : ", "   Standardgateway . . . . . . . . . : "),
    ("BUILTIN\\Administrators", "VORDEFINIERT\\Administratoren"),
    ("BUILTIN\\Users", "VORDEFINIERT\\Benutzer"),
    ("NT AUTHORITY\\", "NT-AUTORITÄT\\"),
    ("Everyone", "Jeder"),
    ("Mandatory Label\\High Mandatory Level", "Verbindliche Beschriftung\\Hohe Verbindlichkeitsstufe"),
    ("Mandatory group, Enabled by default, Enabled group", "Verbindliche Gruppe, Standardmäßig aktiviert, Aktiviert"),
    ("Total # of free bytes        ", "Gesamtzahl der freien Bytes  "),
    ("Total # of bytes             ", "Gesamtzahl der Bytes         "),
    ("Total free bytes        ", "Summe der freien Bytes  "),
    ("SHA256 hash of", "SHA256-Hash von"),
    ("command completed successfully.", "-Befehl wurde erfolgreich ausgeführt."),
    ("The command completed successfully.", "Der Befehl wurde erfolgreich ausgeführt."),
)


def translated(language: str, result: Result) -> Result:
    """Return what a program printed, in the display language of its host."""
    if language != "de-DE":
        return result
    out, err = result.out, result.err
    for english, german in GERMAN:
        out, err = out.replace(english, german), err.replace(english, german)
    if " GB)" in out:
        out = out.replace(",", ".")
    return replace(result, out=out, err=err)
