"""Exports as known systems write them, with invented content, and the tickets that they are."""

from typing import Any, NamedTuple


class MadeUp(NamedTuple):
    file: str
    content: str
    encoding: str
    tickets: dict[str, dict[str, Any]]
    """By the source's id: what must be in the store."""


JSM_SPANISH = MadeUp(
    "jsm_es.csv",
    """\
Resumen,Clave de incidencia,ID de la incidencia,Tipo de Incidencia,Estado,Prioridad,Resolución,Persona asignada,Informador,Creada,Actualizada,Resuelta,Etiquetas,Descripción
La VPN se cae,SOP-1,10001,[System] Incident,Esperando por el cliente,Alta,,Ana,Luis,03/ene/25 9:15 AM,03/ene/25 10:00 AM,,vpn,"Se cae
cada 5 minutos"
No imprime,SOP-2,10002,[System] Service request,Resuelta,Media,Listo,Ana,Eva,05/abr/25 2:02 PM,06/abr/25 9:00 AM,06/abr/25 9:00 AM,impresora,Atasco
Repetido,SOP-3,10003,[System] Incident,Cerrado,Baja,Duplicado,,Eva,13/dic/25 4:30 PM,13/dic/25 5:00 PM,13/dic/25 5:00 PM,,Igual que SOP-2
""",
    "utf-8",
    {
        "SOP-1": {
            "subject": "La VPN se cae",
            "status": "waiting_customer",
            "priority": "high",
            "type": "incident",
            "created_at": "2025-01-03T09:15",
            "resolved_at": None,
            "outcome": None,
            "content": "Se cae\ncada 5 minutos",
        },
        "SOP-2": {
            "status": "resolved",
            "priority": "medium",
            "type": "request",
            "created_at": "2025-04-05T14:02",
            "resolved_at": "2025-04-06T09:00",
            "outcome": "solved",
        },
        "SOP-3": {
            "status": "closed",
            "priority": "low",
            "created_at": "2025-12-13T16:30",
            "outcome": "duplicate",
        },
    },
)
GLPI = MadeUp(
    "glpi.csv",
    """\
"ID";"Título";"Entidad";"Estado";"Última actualización";"Fecha de apertura";"Prioridad";"Solicitante - Solicitante";"Asignado a - Técnico";"Categoría";"Fecha de solución";"Tiempo para resolver";"Tiempo para resolver excedido"
"2001";"Impresora averiada";"Raíz > Norte";"Cerrado";"2025-03-05 10:00";"2025-03-03 09:00";"Alta";"Pérez Juan";"López Ana";"Hardware > Impresora";"2025-03-04 11:30";"2025-03-05 09:00";"No"
"2002";"Sin acceso";"Raíz > Norte";"En espera";"2025-03-06 08:00";"2025-03-06 07:55";"Muy alta";"Pérez Juan";"";"Accesos";"";"2025-03-07 07:55";"No"
"2003";"Portátil nuevo";"Raíz > Sur";"En curso (asignada)";"2025-03-07 12:00";"2025-03-07 09:10";"Mediana";"Ruiz Eva";"López Ana";"Hardware";"";"2025-03-08 09:10";"Sí"
""",
    "cp1252",
    {
        "2001": {
            "subject": "Impresora averiada",
            "status": "closed",
            "priority": "high",
            "created_at": "2025-03-03T09:00",
            "resolved_at": "2025-03-04T11:30",
            "source_verdict": {"resolution": "met", "resolution_due_at": "2025-03-05T09:00:00Z"},
        },
        "2002": {
            "status": "waiting_customer",
            "priority": "critical",
            "created_at": "2025-03-06T07:55",
            "source_verdict": {"resolution": "met", "resolution_due_at": "2025-03-07T07:55:00Z"},
        },
        "2003": {
            "status": "in_progress",
            "priority": "medium",
            "source_verdict": {"resolution": "breached", "resolution_due_at": "2025-03-08T09:10:00Z"},
        },
    },
)
FRESHDESK = MadeUp(
    "freshdesk.csv",
    """\
Ticket ID,Subject,Status,Priority,Source,Type,Agent,Group,Created time,Due by Time,Resolved time,Closed time,Last update time,Initial response time,Resolution status,First response status,Tags,Email,Company Name
11,Printer down,Closed,Urgent,Email,Incident,Ana,Print,2025-03-03 09:00:00,2025-03-03 13:00:00,2025-03-03 12:00:00,2025-03-04 08:00:00,2025-03-04 08:00:00,2025-03-03 09:20:00,Within SLA,Within SLA,"printer,floor2",eva@x.example,X
12,Slow proxy,Pending,Low,Portal,Question,,Net,2025-03-05 10:00:00,2025-03-06 10:00:00,,,2025-03-05 11:00:00,,SLA Violated,SLA Violated,,luis@y.example,Y
""",
    "utf-8",
    {
        "11": {
            "subject": "Printer down",
            "status": "closed",
            "priority": "critical",
            "first_response_at": "2025-03-03T09:20",
            "resolved_at": "2025-03-03T12:00",
            "closed_at": "2025-03-04T08:00",
            "channel": "email",
            "agreed_due_at": None,
            "source_verdict": {
                "first_response": "met",
                "resolution": "met",
                "resolution_due_at": "2025-03-03T13:00:00Z",
            },
        },
        "12": {
            "status": "waiting_customer",
            "priority": "low",
            "type": "request",
            "channel": "portal",
            "first_response_at": None,
            "source_verdict": {
                "first_response": "breached",
                "resolution": "breached",
                "resolution_due_at": "2025-03-06T10:00:00Z",
            },
        },
    },
)
OTRS = MadeUp(
    "otrs.csv",
    """\
Ticketliste\t\t\t\t\t\t\t\t
Ticket#\tTitel\tErstellt\tGeschlossen\tQueue\tStatus\tPriorität\tKundenbenutzer\tBesitzer
2025030310000017\tDrucker größer als Tür\t2025-03-03 09:00:00\t2025-03-04 10:00:00\tHardware\terfolgreich geschlossen\t4 hoch\teva\tana
2025030310000018\tKein Zugriff\t2025-03-03 09:30:00\t\tZugriffe\twarten zur Erinnerung\t3 normal\tluis\tben
2025030310000019\tDoppelt\t2025-03-03 09:45:00\t2025-03-03 10:00:00\tHardware\tzusammengefasst\t1 sehr niedrig\teva\tana
""",
    "cp1252",
    {
        "2025030310000017": {
            "subject": "Drucker größer als Tür",
            "status": "closed",
            "priority": "high",
            "created_at": "2025-03-03T09:00",
            "closed_at": "2025-03-04T10:00",
            "outcome": None,
        },
        "2025030310000018": {"status": "waiting_customer", "priority": "medium"},
        "2025030310000019": {"status": "closed", "priority": "low", "outcome": "merged"},
    },
)
OSTICKET = MadeUp(
    "osticket.csv",
    """\
Ticket Number,Date Created,Subject,From,From Email,Priority,Department,Help Topic,Source,Current Status,Last Updated,SLA Due Date,Overdue,Agent Assigned,Closed Date
100201,3/13/2025 9:15 AM,Broken mouse,Eva,eva@x.example,Normal,Support,Hardware,Web,Open,3/13/2025 9:15 AM,3/15/2025 9:15 AM,No,,
100202,3/14/2025 2:02 PM,Lost badge,Luis,luis@x.example,Emergency,Support,Access,Email,Closed,3/15/2025 8:00 AM,3/14/2025 6:02 PM,Yes,Ana,3/15/2025 8:00 AM
""",
    "utf-8",
    {
        "100201": {
            "status": "in_progress",
            "priority": "medium",
            "created_at": "2025-03-13T09:15",
            "source_verdict": {"resolution": "met", "resolution_due_at": "2025-03-15T09:15:00Z"},
        },
        "100202": {
            "status": "closed",
            "priority": "critical",
            "created_at": "2025-03-14T14:02",
            "closed_at": "2025-03-15T08:00",
            "source_verdict": {"resolution": "breached", "resolution_due_at": "2025-03-14T18:02:00Z"},
        },
    },
)
ZAMMAD = MadeUp(
    "zammad.csv",
    """\
id;number;title;group;state;priority;owner;customer;organization;created_at;first_response_at;close_at;first_response_escalation_at
7;31007;Mail bounces;Users;pending reminder;2 normal;ana;eva;X;2025-03-03T09:00:00Z;2025-03-03T09:30:00Z;;2025-03-03T11:00:00Z
8;31008;Same again;Users;merged;3 high;ana;eva;X;2025-03-03T09:05:00Z;;2025-03-03T09:10:00Z;
""",
    "utf-8",
    {
        "31007": {
            "status": "waiting_customer",
            "priority": "medium",
            "first_response_at": "2025-03-03T09:30",
            "source_verdict": {"first_response_due_at": "2025-03-03T11:00:00Z"},
        },
        "31008": {"status": "closed", "priority": "high", "closed_at": "2025-03-03T09:10", "outcome": "merged"},
    },
)
GITHUB = MadeUp(
    "github.json",
    """\
[{"number": 5, "title": "Crash on start", "body": "It crashes.", "state": "closed", "state_reason": "completed",
  "created_at": "2026-03-02T09:00:00Z", "closed_at": "2026-03-03T09:00:00Z",
  "labels": [{"id": 1, "name": "bug"}, {"id": 2, "name": "urgent"}], "user": {"login": "c-9"}},
 {"number": 6, "title": "Never mind", "body": null, "state": "closed", "state_reason": "not_planned",
  "created_at": "2026-03-02T10:00:00Z", "closed_at": "2026-03-02T11:00:00Z", "labels": [], "user": {"login": "c-2"}},
 {"number": 7, "title": "Add a map", "body": "Please.", "state": "open", "state_reason": null,
  "created_at": "2026-03-04T10:00:00Z", "closed_at": null, "labels": [], "user": {"login": "c-2"}}]
""",
    "utf-8",
    {
        "5": {
            "subject": "Crash on start",
            "status": "resolved",
            "tags": ["bug", "urgent"],
            "created_at": "2026-03-02T09:00",
            "resolved_at": "2026-03-03T09:00",
            "outcome": "solved",
        },
        "6": {"status": "resolved", "tags": [], "outcome": "cancelled"},
        "7": {"status": "new", "resolved_at": None, "outcome": None},
    },
)
EVENT_LOG = MadeUp(
    "log.csv",
    """\
case,activity,resource,timestamp
C-1,Opened,desk,2026-03-02T09:00:00
C-1,In Progress,ana,2026-03-02T09:20:00
C-1,Awaiting User,ana,2026-03-02T10:00:00
C-1,In Progress,ana,2026-03-02T14:00:00
C-1,Resolved,ana,2026-03-02T15:30:00
C-2,Opened,desk,2026-03-02T11:00:00
C-2,In Progress,ben,2026-03-03T08:00:00
""",
    "utf-8",
    {
        "C-1": {"status": "resolved", "created_at": "2026-03-02T09:00", "resolved_at": "2026-03-02T15:30"},
        "C-2": {"status": "in_progress", "created_at": "2026-03-02T11:00", "resolved_at": None},
    },
)
MADE_UP = (JSM_SPANISH, GLPI, FRESHDESK, OTRS, OSTICKET, ZAMMAD, GITHUB, EVENT_LOG)
