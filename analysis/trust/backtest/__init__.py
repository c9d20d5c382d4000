"""Fitted on the evidence up to each year, how well did the trends predict what came?"""
