"""Who owns this ticket, who helps, who should get it?"""
